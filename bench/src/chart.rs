//! Draws the lines that comparisons printed: one picture for each kind of work, a pair of bars for each peer.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::args::ChartOptions;
use crate::report::{count, number};

/// One kind of work: file, title, and the fields of both sides.
struct Picture {
    file: &'static str,
    title: &'static str,
    ours: &'static str,
    theirs: &'static str,
}

const PICTURES: [Picture; 5] = [
    Picture {
        file: "drain.svg",
        title: "Drain of queued no-op jobs: jobs per second (more is better)",
        ours: "drain_per_s",
        theirs: "peer_drain_per_s",
    },
    Picture {
        file: "submit.svg",
        title: "Bulk submission of delayed jobs: jobs per second (more is better)",
        ours: "submit_per_s",
        theirs: "peer_submit_per_s",
    },
    Picture {
        file: "burst.svg",
        title: "All jobs due at one instant: seconds until the last start (less is better)",
        ours: "last_start_s",
        theirs: "peer_last_start_s",
    },
    Picture {
        file: "precision.svg",
        title: "Start lateness, 500 jobs per second: p99 in ms (less is better)",
        ours: "precision_p99_ms",
        theirs: "peer_precision_p99_ms",
    },
    Picture {
        file: "memory.svg",
        title: "Redis memory of one delayed job: bytes (less is better)",
        ours: "bytes_per_job",
        theirs: "peer_bytes_per_job",
    },
];

const WIDTH: f64 = 760.0;
const LEFT: f64 = 130.0;
const ROW: f64 = 24.0;
const GAP: f64 = 14.0;
const TOP: f64 = 48.0;
/// Room for the figure behind the longest bar.
const RIGHT: f64 = 110.0;

/// A bar: whose, how much, and its colour.
struct Bar {
    name: String,
    value: f64,
    colour: &'static str,
}

/// Writes the pictures of which the lines have figures.
pub(crate) fn draw(options: &ChartOptions) -> Result<()> {
    let text = std::fs::read_to_string(&options.lines)
        .with_context(|| options.lines.display().to_string())?;
    let mut lines = Vec::new();
    for line in text.lines().filter(|line| line.starts_with('{')) {
        lines.push(serde_json::from_str::<Value>(line)?);
    }
    std::fs::create_dir_all(&options.to)?;
    for picture in &PICTURES {
        let pairs: Vec<[Bar; 2]> = lines
            .iter()
            .filter_map(|line| pair(picture, line))
            .collect();
        if !pairs.is_empty() {
            let path = options.to.join(picture.file);
            std::fs::write(&path, svg(picture.title, &pairs)?)?;
            eprintln!("{}", path.display());
        }
    }
    Ok(())
}

fn pair(picture: &Picture, line: &Value) -> Option<[Bar; 2]> {
    let (ours, theirs) = (number(line, picture.ours), number(line, picture.theirs));
    if !ours.is_finite() || !theirs.is_finite() {
        return None;
    }
    let peer = line.get("peer").and_then(Value::as_str).unwrap_or("peer");
    let peer = peer.split([' ', ',']).next().unwrap_or(peer);
    Some([
        Bar {
            name: "Tickwheel".to_owned(),
            value: ours,
            colour: "#2563eb",
        },
        Bar {
            name: peer.to_owned(),
            value: theirs,
            colour: "#9ca3af",
        },
    ])
}

fn svg(title: &str, pairs: &[[Bar; 2]]) -> Result<String> {
    let most = pairs.iter().flatten().map(|bar| bar.value);
    let most = most.fold(f64::MIN_POSITIVE, f64::max);
    let height = TOP + count(pairs.len()) * (2.0 * ROW + GAP) + GAP;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
         <text x=\"16\" y=\"28\" font-size=\"15\" font-weight=\"bold\" fill=\"#111827\">{title}</text>\n"
    );
    let mut y = TOP;
    for pair in pairs {
        for Bar {
            name,
            value,
            colour,
        } in pair
        {
            let width = (value / most * (WIDTH - LEFT - RIGHT)).max(1.0);
            let (middle, end) = (y + ROW * 0.66, LEFT + width + 8.0);
            writeln!(
                out,
                "<text x=\"{:.0}\" y=\"{middle:.0}\" text-anchor=\"end\" fill=\"#374151\">{name}</text>\n\
                 <rect x=\"{LEFT}\" y=\"{y:.0}\" width=\"{width:.1}\" height=\"{:.0}\" fill=\"{colour}\"/>\n\
                 <text x=\"{end:.0}\" y=\"{middle:.0}\" fill=\"#111827\">{}</text>",
                LEFT - 10.0,
                ROW - 4.0,
                figure(*value)
            )?;
            y += ROW;
        }
        y += GAP;
    }
    out.push_str("</svg>\n");
    Ok(out)
}

/// Three digits are enough to compare, with commas between thousands.
fn figure(value: f64) -> String {
    if value < 100.0 {
        return format!("{value:.2}");
    }
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        assert_eq!(figure(3.456), "3.46");
        assert_eq!(figure(612.4), "612");
        assert_eq!(figure(1_234_567.0), "1,234,567");
    }

    #[test]
    fn a_line_without_the_figures_draws_nothing() {
        let line = serde_json::json!({ "peer": "BullMQ 6.7.0, x", "drain_per_s": 4.0 });
        assert!(pair(&PICTURES[0], &line).is_none());
        let line = serde_json::json!({ "peer": "BullMQ 6.7.0, x", "drain_per_s": 4.0, "peer_drain_per_s": 2.0 });
        let pairs = [pair(&PICTURES[0], &line).unwrap()];
        let drawn = svg("t", &pairs).unwrap();
        assert!(drawn.contains(">BullMQ<") && drawn.contains(">4.00<"));
    }
}
