//! Drain with more trackers and more primaries of a Redis Cluster: what a job costs must not grow with them.

use anyhow::Result;
use serde_json::{Value, json};

use crate::args::Options;
use crate::report::{Line, number, round};

/// Trackers of the runs.
const TRACKERS: [usize; 4] = [1, 2, 3, 4];
/// Primaries of the runs.
const PRIMARIES: [usize; 3] = [1, 2, 3];
/// What is compared over the runs.
const FIELDS: [&str; 5] = [
    "jobs_per_s",
    "redis_cpu_us_per_job",
    "redis_commands_per_job",
    "tracker_cpu_us_per_job",
    "worker_cpu_us_per_job",
];

pub(crate) async fn run(options: &Options) -> Result<Value> {
    let mut rows = Vec::new();
    let (mut lost, mut duplicates) = (0, 0);
    if !options.json {
        eprintln!("primaries trackers {}", FIELDS.join(" "));
    }
    for primaries in PRIMARIES {
        for trackers in TRACKERS {
            let options = Options {
                redis: "cluster".to_owned(),
                primaries,
                trackers,
                json: true,
                ..options.clone()
            };
            let line = super::drain::run(&options).await?;
            let count = |field: &str| line.get(field).and_then(Value::as_u64).unwrap_or(0);
            lost += count("lost");
            duplicates += count("duplicates");
            let mut row = json!({ "primaries": primaries, "trackers": trackers });
            for field in FIELDS {
                if let (Some(row), Some(value)) = (row.as_object_mut(), line.get(field)) {
                    row.insert(field.to_owned(), value.clone());
                }
            }
            rows.push(row);
        }
        if !options.json {
            for row in rows.iter().skip(rows.len() - TRACKERS.len()) {
                print_row(row);
            }
        }
    }
    let mut line = Line::new("scale");
    for field in FIELDS {
        let values = rows.iter().map(|row| number(row, field));
        let (least, most) = values.fold((f64::MAX, 0.0_f64), |(least, most), value| {
            (least.min(value), most.max(value))
        });
        line.put(
            &format!("{field}_most_to_least"),
            round(most / least.max(1e-9)),
        );
    }
    line.put("lost", lost);
    line.put("duplicates", duplicates);
    line.put("rows", rows);
    Ok(line.done())
}

fn print_row(row: &Value) {
    let cells = ["primaries", "trackers"].iter().chain(&FIELDS);
    let cells: Vec<String> = cells
        .map(|field| {
            let width = field.len();
            format!("{:>width$}", number(row, field))
        })
        .collect();
    eprintln!("{}", cells.join(" "));
}
