//! Where a section goes on, as `context/list` says it, and what stands at that point in the order of the section.

use std::cmp::Ordering;

use super::section::Section;

/// Characters of a point: a queue's name with a group, a handler and a key, and an id behind it.
const CHARS_MAX: usize = 640;
/// Characters of a score as Redis prints it.
const SCORE_CHARS_MAX: usize = 32;

/// A point of a section, with what it is compared by.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Point {
    /// As the script has it.
    pub(super) text: String,
    /// The queue, or the job, in whose set it is; empty where a section is one set.
    name: String,
    score: f64,
}

fn is_score(text: &str) -> bool {
    let is_letter = |letter: u8| letter.is_ascii_digit() || b".e+-".contains(&letter);
    let is_number = text.starts_with(|first: char| first.is_ascii_digit() || first == '-')
        && text.bytes().all(is_letter)
        && text.len() <= SCORE_CHARS_MAX;
    is_number || text == "inf" || text == "-inf"
}

fn score(text: &str) -> Option<f64> {
    let number: f64 = is_score(text).then(|| text.parse().ok())??;
    (!number.is_nan()).then_some(number)
}

fn is_number(text: &str) -> bool {
    (1..=15).contains(&text.len()) && text.bytes().all(|letter| letter.is_ascii_digit())
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|letter| letter.is_ascii_graphic())
}

/// The score of a point inside a set.
fn score_of(section: Section, text: &str) -> Option<f64> {
    if text.is_empty() {
        return Some(if section.is_ended() {
            f64::INFINITY
        } else {
            f64::NEG_INFINITY
        });
    }
    if let Some(bound) = text.strip_prefix(['=', '<']) {
        return score(bound);
    }
    let (at, behind) = text.split_once(':')?;
    if section.is_hash() {
        return is_number(at)
            .then(|| score(at))?
            .filter(|_| is_plain(behind));
    }
    if !is_number(behind) {
        return None;
    }
    match at.split_once('-') {
        Some((ms, number)) if section == Section::Ends && is_number(ms) => {
            is_number(number).then(|| score(ms))?
        }
        _ => score(at),
    }
}

impl Point {
    /// Reads a point; `None` when it is none of this section.
    pub(super) fn parse(section: Section, text: &str) -> Option<Self> {
        if text.len() > CHARS_MAX {
            return None;
        }
        let (name, inside) = if text.is_empty() || !section.has_names() {
            ("", text)
        } else {
            text.rsplit_once(' ')?
        };
        let is_shown = name.bytes().all(|letter| matches!(letter, b' '..=b'~'));
        let is_name = is_shown && (section != Section::Queued || !name.contains(' '));
        (is_name && (text.is_empty() || name.is_empty() != section.has_names())).then_some(())?;
        Some(Self {
            score: score_of(section, inside)?,
            text: text.to_owned(),
            name: name.to_owned(),
        })
    }

    /// Reads the position of a scan, `<cursor>:<n>`, which is compared with nothing.
    pub(super) fn parse_scan(text: &str) -> Option<Self> {
        let digits = |text: &str| {
            (1..=20).contains(&text.len()) && text.bytes().all(|letter| letter.is_ascii_digit())
        };
        let is_one = |(cursor, n): (&str, &str)| digits(cursor) && digits(n) && n.len() <= 9;
        (text.is_empty() || text.split_once(':').is_some_and(is_one)).then(|| Self {
            text: text.to_owned(),
            name: String::new(),
            score: 0.0,
        })
    }

    /// The beginning of a scan.
    pub(super) fn nowhere() -> Self {
        Self {
            text: String::new(),
            name: String::new(),
            score: 0.0,
        }
    }

    /// Where another partition goes on when the list has come to this point of one: behind everything of this time if it comes before
    /// that one, with it if it comes after.
    pub(super) fn of_other(&self, section: Section, is_before: bool) -> Option<Self> {
        let inside = match section.has_names() {
            true => self.text.rsplit_once(' ').map_or("", |(_, inside)| inside),
            false => &self.text,
        };
        if inside.is_empty() {
            return Some(self.clone());
        }
        let at = inside
            .trim_start_matches(['=', '<'])
            .split(':')
            .next()
            .unwrap_or_default();
        // Of an entry of the events only its time.
        let at = match at.split_once('-') {
            Some((ms, _)) if section == Section::Ends && is_number(ms) => ms,
            _ => at,
        };
        let mark = if is_before { '<' } else { '=' };
        let name = if self.name.is_empty() {
            String::new()
        } else {
            format!("{} ", self.name)
        };
        Self::parse(section, &format!("{name}{mark}{at}"))
    }

    /// Which of two comes first in the order of the section.
    pub(super) fn compare(&self, other: &Self, section: Section) -> Ordering {
        let scores = self.score.total_cmp(&other.score);
        let scores = if section.is_ended() {
            scores.reverse()
        } else {
            scores
        };
        self.name.cmp(&other.name).then(scores)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_of_each_section_are_read_and_others_are_refused() {
        let good = [
            (Section::Timed, "", f64::NEG_INFINITY),
            (Section::Timed, "5:3", 5.0),
            (Section::Timed, "-1.5e+20:1", -1.5e20),
            (Section::Timed, "=7", 7.0),
            (Section::Dead, "", f64::INFINITY),
            (Section::Dead, "<inf", f64::INFINITY),
            (Section::Ends, "12-3:4", 12.0),
            (Section::Ends, "12:4", 12.0),
            (Section::Running, "12:0.12.f@a/b", 12.0),
            (Section::Ready, "g h c=0123456789 k= 5:1", 5.0),
            (Section::Ready, "g h <inf", f64::INFINITY),
            (Section::Queued, "a/b 5:1", 5.0),
        ];
        for (section, text, expected) in good {
            let point = Point::parse(section, text).unwrap();
            assert!(
                point.score.total_cmp(&expected).is_eq(),
                "{text}: {point:?}"
            );
        }
        let bad = [
            (Section::Timed, "5"),
            (Section::Timed, "5:"),
            (Section::Timed, "nan:1"),
            (Section::Timed, "=nan"),
            (Section::Timed, "=x"),
            (Section::Timed, "infinity:1"),
            (Section::Timed, "12-3:4"),
            (Section::Timed, "5:99999999999999999999"),
            (Section::Timed, "a b 5:1"),
            (Section::Ends, "12-:4"),
            (Section::Running, "12:a b"),
            (Section::Running, "-1:x"),
            (Section::Ready, "5:1"),
            (Section::Queued, "a b 5:1"),
            (Section::Queued, "a\u{7f} 5:1"),
        ];
        for (section, text) in bad {
            assert_eq!(Point::parse(section, text), None, "{section:?} {text}");
        }
        let long = format!("{} 5:1", "g".repeat(CHARS_MAX));
        assert_eq!(Point::parse(Section::Ready, &long), None);
    }

    #[test]
    fn another_partition_goes_on_at_the_same_time() {
        let other = |section, text: &str, is_before| {
            let point = Point::parse(section, text).unwrap();
            point.of_other(section, is_before).unwrap().text
        };
        assert_eq!(other(Section::Timed, "5:3", true), "<5");
        assert_eq!(other(Section::Timed, "5:3", false), "=5");
        assert_eq!(other(Section::Timed, "=5", false), "=5");
        assert_eq!(other(Section::Ends, "12-3:4", true), "<12");
        assert_eq!(other(Section::Running, "12:0.12.f@a/b", false), "=12");
        assert_eq!(other(Section::Ready, "g h 5:1", true), "g h <5");
        assert_eq!(other(Section::Ready, "g h ", true), "g h ");
        assert_eq!(other(Section::Timed, "", false), "");
    }

    #[test]
    fn what_has_ended_is_ordered_from_the_newest_on() {
        let of = |section, text| Point::parse(section, text).unwrap();
        let compare =
            |section, left, right| of(section, left).compare(&of(section, right), section);
        assert_eq!(compare(Section::Timed, "5:9", "6:1"), Ordering::Less);
        assert_eq!(compare(Section::Dead, "5:9", "6:1"), Ordering::Greater);
        assert_eq!(compare(Section::Dead, "", "6:1"), Ordering::Less);
        assert_eq!(
            compare(Section::Ready, "g a 9:1", "g b 1:1"),
            Ordering::Less
        );
        assert_eq!(compare(Section::Timed, "5:9", "5:1"), Ordering::Equal);
    }
}
