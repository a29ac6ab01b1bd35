//! What somebody probably meant by a name that no zone has.

use super::ZoneTable;
use crate::error::with_suggestion;

const RULE: &str = "is an IANA zone like Europe/Berlin";

/// Abbreviations of clocks, and where they are in use: several places mean that nobody can know which.
const ABBREVIATIONS: &[(&str, &[&str])] = &[
    ("ACDT", &["Australia/Adelaide"]),
    ("ACST", &["Australia/Adelaide", "Australia/Darwin"]),
    ("ADT", &["America/Halifax"]),
    ("AEDT", &["Australia/Sydney"]),
    ("AEST", &["Australia/Sydney", "Australia/Brisbane"]),
    ("AKST", &["America/Anchorage"]),
    ("AMT", &["America/Manaus", "Asia/Yerevan"]),
    ("ART", &["America/Argentina/Buenos_Aires"]),
    (
        "AST",
        &["America/Halifax", "America/Puerto_Rico", "Asia/Riyadh"],
    ),
    ("AWST", &["Australia/Perth"]),
    ("BRT", &["America/Sao_Paulo"]),
    (
        "BST",
        &["Europe/London", "Asia/Dhaka", "Pacific/Bougainville"],
    ),
    ("CAT", &["Africa/Maputo"]),
    ("CDT", &["America/Chicago", "America/Havana"]),
    ("CEST", &["Europe/Berlin"]),
    (
        "CST",
        &[
            "America/Chicago",
            "Asia/Shanghai",
            "America/Havana",
            "America/Mexico_City",
        ],
    ),
    ("EAT", &["Africa/Nairobi"]),
    ("ECT", &["America/Guayaquil", "Europe/Paris"]),
    ("EDT", &["America/New_York"]),
    ("EEST", &["Europe/Helsinki"]),
    ("GST", &["Asia/Dubai", "Atlantic/South_Georgia"]),
    ("HKT", &["Asia/Hong_Kong"]),
    ("ICT", &["Asia/Bangkok"]),
    ("IST", &["Asia/Kolkata", "Europe/Dublin", "Asia/Jerusalem"]),
    ("JST", &["Asia/Tokyo"]),
    ("KST", &["Asia/Seoul"]),
    ("MDT", &["America/Denver"]),
    ("MSK", &["Europe/Moscow"]),
    ("MST", &["America/Denver", "America/Phoenix"]),
    ("NPT", &["Asia/Kathmandu"]),
    ("NST", &["America/St_Johns"]),
    ("NZDT", &["Pacific/Auckland"]),
    ("NZST", &["Pacific/Auckland"]),
    ("PDT", &["America/Los_Angeles"]),
    ("PHT", &["Asia/Manila"]),
    ("PKT", &["Asia/Karachi"]),
    ("PST", &["America/Los_Angeles", "Asia/Manila"]),
    ("SAST", &["Africa/Johannesburg"]),
    ("SGT", &["Asia/Singapore"]),
    ("SST", &["Asia/Singapore", "Pacific/Pago_Pago"]),
    ("TRT", &["Europe/Istanbul"]),
    ("WAT", &["Africa/Lagos"]),
    ("WEST", &["Europe/Lisbon"]),
    ("WIB", &["Asia/Jakarta"]),
];

/// Places and names of other systems that are no IANA names, in lower case letters only, and the zone their clocks follow.
const ALIASES: &[(&str, &str)] = &[
    ("abudhabi", "Asia/Dubai"),
    ("ankara", "Europe/Istanbul"),
    ("atlanta", "America/New_York"),
    ("austin", "America/Chicago"),
    ("bangalore", "Asia/Kolkata"),
    ("barcelona", "Europe/Madrid"),
    ("beijing", "Asia/Shanghai"),
    ("bengaluru", "Asia/Kolkata"),
    ("bombay", "Asia/Kolkata"),
    ("boston", "America/New_York"),
    ("brasilia", "America/Sao_Paulo"),
    ("bern", "Europe/Zurich"),
    ("canberra", "Australia/Sydney"),
    ("capetown", "Africa/Johannesburg"),
    ("centralstandardtime", "America/Chicago"),
    ("chengdu", "Asia/Shanghai"),
    ("chennai", "Asia/Kolkata"),
    ("chinastandardtime", "Asia/Shanghai"),
    ("cologne", "Europe/Berlin"),
    ("dallas", "America/Chicago"),
    ("delhi", "Asia/Kolkata"),
    ("easternstandardtime", "America/New_York"),
    ("edinburgh", "Europe/London"),
    ("frankfurt", "Europe/Berlin"),
    ("geneva", "Europe/Zurich"),
    ("gmtstandardtime", "Europe/London"),
    ("guangzhou", "Asia/Shanghai"),
    ("hamburg", "Europe/Berlin"),
    ("hangzhou", "Asia/Shanghai"),
    ("hanoi", "Asia/Ho_Chi_Minh"),
    ("houston", "America/Chicago"),
    ("hyderabad", "Asia/Kolkata"),
    ("indiastandardtime", "Asia/Kolkata"),
    ("islamabad", "Asia/Karachi"),
    ("kyoto", "Asia/Tokyo"),
    ("lahore", "Asia/Karachi"),
    ("manchester", "Europe/London"),
    ("marseille", "Europe/Paris"),
    ("mecca", "Asia/Riyadh"),
    ("miami", "America/New_York"),
    ("milan", "Europe/Rome"),
    ("mountainstandardtime", "America/Denver"),
    ("mumbai", "Asia/Kolkata"),
    ("munich", "Europe/Berlin"),
    ("nanjing", "Asia/Shanghai"),
    ("newdelhi", "Asia/Kolkata"),
    ("osaka", "Asia/Tokyo"),
    ("ottawa", "America/Toronto"),
    ("pacificstandardtime", "America/Los_Angeles"),
    ("peking", "Asia/Shanghai"),
    ("philadelphia", "America/New_York"),
    ("portland", "America/Los_Angeles"),
    ("pretoria", "Africa/Johannesburg"),
    ("quito", "America/Guayaquil"),
    ("riodejaneiro", "America/Sao_Paulo"),
    ("rotterdam", "Europe/Amsterdam"),
    ("saintpetersburg", "Europe/Moscow"),
    ("sanfrancisco", "America/Los_Angeles"),
    ("seattle", "America/Los_Angeles"),
    ("shenzhen", "Asia/Shanghai"),
    ("stpetersburg", "Europe/Moscow"),
    ("telaviv", "Asia/Jerusalem"),
    ("tianjin", "Asia/Shanghai"),
    ("tokyostandardtime", "Asia/Tokyo"),
    ("weuropestandardtime", "Europe/Berlin"),
    ("washington", "America/New_York"),
    ("washingtondc", "America/New_York"),
    ("wellington", "Pacific/Auckland"),
    ("wuhan", "Asia/Shanghai"),
];

/// Offsets with a part of an hour have no zone of a fixed offset, but places.
const PARTS_OF_AN_HOUR: &[(i32, &str)] = &[
    (-570, "Pacific/Marquesas"),
    (-210, "America/St_Johns"),
    (210, "Asia/Tehran"),
    (270, "Asia/Kabul"),
    (330, "Asia/Kolkata"),
    (345, "Asia/Kathmandu"),
    (390, "Asia/Yangon"),
    (525, "Australia/Eucla"),
    (570, "Australia/Darwin"),
    (630, "Australia/Lord_Howe"),
    (765, "Pacific/Chatham"),
];

/// The rule that `given` breaks, with what it probably stands for.
pub(super) fn rule(given: &str, table: &ZoneTable) -> String {
    let trimmed = given.trim();
    let upper = trimmed.to_uppercase();
    if let Some(minutes) = fixed_offset(&upper) {
        return of_offset(minutes);
    }
    if let Some((_, places)) = ABBREVIATIONS.iter().find(|(word, _)| *word == upper) {
        return match places {
            [one] => {
                format!("{RULE}, which knows when clocks change; `{upper}` is used in `{one}`")
            }
            several => {
                let names: Vec<String> = several.iter().map(|name| format!("`{name}`")).collect();
                format!("{RULE}; `{upper}` is used in several: {}", names.join(", "))
            }
        };
    }
    let names = table.names();
    if let Some(name) = of_place(trimmed, &names) {
        return format!("{RULE}; did you mean `{name}`?");
    }
    // Names with numbers are a typing mistake apart from each other and hours off.
    let words = names
        .into_iter()
        .filter(|name| !name.bytes().any(|byte| byte.is_ascii_digit()));
    if trimmed.len() <= 4 || trimmed.bytes().any(|byte| byte.is_ascii_digit()) {
        return RULE.to_owned();
    }
    with_suggestion(RULE, trimmed, words)
}

/// `UTC+8`, `GMT-03:30`, `+0800`, `Z`, in minutes east of UTC.
fn fixed_offset(upper: &str) -> Option<i32> {
    if upper == "Z" || upper == "ZULU" {
        return Some(0);
    }
    let rest = ["GMT", "UTC", "UT"]
        .iter()
        .find_map(|prefix| upper.strip_prefix(prefix))
        .unwrap_or(upper)
        .trim();
    let (sign, digits) = match (rest.strip_prefix('+'), rest.strip_prefix(['-', '−'])) {
        (Some(digits), _) => (1, digits),
        (None, Some(digits)) => (-1, digits),
        (None, None) => return None,
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "0"),
    };
    let number = |text: &str| {
        let plain = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if plain {
            text.parse::<i32>().ok()
        } else {
            None
        }
    };
    let minutes = number(hours)? * 60 + number(minutes).filter(|minutes| *minutes < 60)?;
    Some(sign * minutes)
}

fn of_offset(minutes: i32) -> String {
    if minutes == 0 {
        return format!("{RULE}; did you mean `UTC`?");
    }
    let hours = minutes / 60;
    if minutes % 60 == 0 && (-12..=14).contains(&hours) {
        // The names follow POSIX, where what lies east of Greenwich is negative.
        let name = format!("Etc/GMT{:+}", -hours);
        let side = if hours > 0 { "ahead of" } else { "behind" };
        let number = hours.abs();
        return format!(
            "{RULE}; {number} h {side} UTC the whole year is `{name}`: the sign is turned in these names"
        );
    }
    match PARTS_OF_AN_HOUR
        .iter()
        .find(|(offset, _)| *offset == minutes)
    {
        Some((_, place)) => {
            format!("{RULE}; no zone is named by such an offset, `{place}` has it")
        }
        None => format!("{RULE}; no place has such an offset"),
    }
}

/// A city, another system's name, or an IANA name in another spelling.
fn of_place<'a>(given: &str, names: &[&'a str]) -> Option<&'a str> {
    let whole = letters(given);
    if whole.is_empty() {
        return None;
    }
    if let Some(name) = names.iter().find(|name| letters(name) == whole) {
        return Some(name);
    }
    let city = letters(given.rsplit('/').next().unwrap_or(given));
    let alias = ALIASES.iter().find(|(word, _)| *word == city);
    if let Some((_, zone)) = alias {
        return names.iter().find(|name| *name == zone).copied();
    }
    if city.len() < 4 {
        return None;
    }
    let of_city = |name: &&&str| {
        let mut parts = name.rsplit('/');
        let last = parts.next().unwrap_or_default();
        let place = parts
            .next_back()
            .is_some_and(|area| !area.eq_ignore_ascii_case("etc"));
        place && letters(last) == city
    };
    names.iter().find(of_city).copied()
}

/// Its letters and digits in lower case, common accents taken off.
fn letters(text: &str) -> String {
    text.chars()
        .flat_map(char::to_lowercase)
        .filter_map(|letter| match letter {
            'ã' | 'á' | 'à' | 'â' | 'ä' => Some('a'),
            'é' | 'è' | 'ê' | 'ë' => Some('e'),
            'í' | 'î' | 'ï' => Some('i'),
            'ó' | 'ô' | 'õ' | 'ö' => Some('o'),
            'ú' | 'ü' | 'û' => Some('u'),
            'ç' => Some('c'),
            'ñ' => Some('n'),
            other if other.is_alphanumeric() => Some(other),
            _ => None,
        })
        .collect()
}

/// Every zone that a suggestion can name.
#[cfg(test)]
pub(super) fn tests_only_places() -> Vec<&'static str> {
    let of_abbreviations = ABBREVIATIONS
        .iter()
        .flat_map(|(_, places)| places.iter().copied());
    let of_aliases = ALIASES.iter().map(|(_, zone)| *zone);
    let of_offsets = PARTS_OF_AN_HOUR.iter().map(|(_, zone)| *zone);
    of_abbreviations
        .chain(of_aliases)
        .chain(of_offsets)
        .collect()
}
