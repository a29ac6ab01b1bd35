//! Garbage for every kind of key: records that no script writes, and keys of a wrong type.
//!
//! One table, used by the tests of the store and by the fault rig. Nothing here knows Redis: each piece is a command as words.

/// What is in the store already, so that garbage comes to lie beside it.
#[derive(Debug, Clone)]
pub struct Names {
    /// The number of the partition.
    pub partition: u16,
    /// A group with workers and limits.
    pub group: String,
    /// A handler of it.
    pub handler: String,
    /// A registered job, whose lists get garbage.
    pub job: String,
    /// A context that is split, or any.
    pub root: String,
    /// A worker.
    pub worker: String,
}

/// A command that puts garbage into a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Garbage {
    /// The key, without its tag.
    pub key: String,
    /// The command, word by word; some words are no text.
    pub words: Vec<Vec<u8>>,
}

/// Numbers that none is, or none may be.
const NUMBERS: [&[u8]; 7] = [
    b"nan",
    b"-inf",
    b"-1",
    b"1e999",
    b"7.5",
    b"99999999999999999999",
    b"x",
];

/// Scores that a sorted set takes and that no script writes.
const SCORES: [&str; 5] = [
    "-inf",
    "7.5",
    "9000000000000",
    "1.8446744073709552e19",
    "inf",
];

/// Texts that follow no grammar, or only its beginning. `ID` stands for an id in the partition.
const TEXTS: [&str; 21] = [
    "",
    " ",
    "x",
    "ID",
    "ID 0",
    "ID 0:0",
    "ID 0:0 default",
    "ID 0:0 default work 9 - body",
    "ID 0:0 default work 2 s=x,t=x,k=,c=zz,v=x body",
    "ID 100000000000000000000:0 default work 2 - body",
    "ID 1:100000000000000000000 default work 2 - body",
    "ID\tsucceeded",
    "ID\twhat\t1\tw-1\t1\t2\t",
    "ID\tfailed\t100000000000000000000\tw-1\t1\t2\tm",
    "ID\tfailed\t1\t!\t1\t99999999999999999999\tm\n3 default work 2 - body",
    "1:0 w-1 5 9 0 - default",
    "1:0 ! 5 9 0 - default work 2 - body",
    "100000000000000000000:0 w-1 5 9 0 - default work 2 - body",
    "1:0 w-1 99999999999999999999 9 0 - default work 2 - body",
    "1 2 3 4 5 6",
    "0 1 2 3 k",
];

/// What begins like an entry of the wheel.
const ENTRIES: [&str; 14] = [
    "@",
    "@x",
    "@no/job",
    "!",
    "!sweep",
    "!limits x",
    "#",
    "#ID default",
    "&",
    "&x y",
    "&no/job ID what",
    "%",
    "%x",
    "%ID",
];

/// What is collected for one tag.
struct Table<'a> {
    tag: &'a str,
    names: &'a Names,
    found: Vec<Garbage>,
}

impl Table<'_> {
    /// The texts, with ids that differ from place to place.
    fn texts(&self, key: &str) -> Vec<Vec<u8>> {
        let mark = key.bytes().fold(7_u32, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(u32::from(byte))
        });
        let id = format!("{}.5.z-{mark}", self.names.partition);
        let mut texts: Vec<Vec<u8>> = TEXTS
            .iter()
            .map(|text| text.replace("ID", &id).into_bytes())
            .collect();
        texts.push(vec![0xff, 0xfe, 0, b'\n', b'\t']);
        texts.push(vec![b'y'; 3_000]);
        texts
    }

    fn put(&mut self, command: &str, key: &str, words: &[&[u8]]) {
        let mut all = vec![
            command.as_bytes().to_vec(),
            format!("{}{key}", self.tag).into_bytes(),
        ];
        all.extend(words.iter().map(|word| word.to_vec()));
        self.found.push(Garbage {
            key: key.to_owned(),
            words: all,
        });
    }

    fn zset(&mut self, key: &str, more: &[&str]) {
        let mut texts = self.texts(key);
        texts.extend(more.iter().map(|text| text.as_bytes().to_vec()));
        for text in texts {
            self.put("ZADD", key, &[b"5", &text]);
        }
        for (n, score) in SCORES.iter().enumerate() {
            let id = format!(
                "{}.{n}.s-{n} 0:0 {} {} 2 - body",
                self.names.partition, self.names.group, self.names.handler
            );
            self.put("ZADD", key, &[score.as_bytes(), id.as_bytes()]);
        }
    }

    fn list(&mut self, key: &str) {
        for text in self.texts(key) {
            self.put("RPUSH", key, &[&text]);
            self.put("LPUSH", key, &[&text]);
        }
    }

    /// Fields that are none, and values that are none under `field` and fields like it.
    fn hash(&mut self, key: &str, field: &str) {
        for (n, text) in self.texts(key).iter().enumerate() {
            self.put("HSET", key, &[text, b"1"]);
            self.put("HSET", key, &[format!("{field}{n}").as_bytes(), text]);
        }
        for (n, number) in NUMBERS.iter().enumerate() {
            self.put("HSET", key, &[format!("{field}9{n}").as_bytes(), number]);
        }
    }

    /// Values that are none under the fields that a hash has.
    fn fields(&mut self, key: &str, fields: &[&str]) {
        for field in fields {
            self.put("HSET", key, &[field.as_bytes(), b"x\xff"]);
        }
        self.put("HSET", key, &[b"\xff", b"\xff"]);
    }
}

/// Records that no script writes, for every kind of key of a partition; `tag` is `{tw:3}:` for partition 3 under the prefix `tw`.
#[must_use]
pub fn of_partition(tag: &str, names: &Names) -> Vec<Garbage> {
    let mut table = Table {
        tag,
        names,
        found: Vec::new(),
    };
    places(&mut table);
    hashes(&mut table);
    lists(&mut table);
    table.found
}

/// Where contexts and jobs wait.
fn places(table: &mut Table<'_>) {
    let Names {
        partition,
        group,
        handler,
        job,
        root,
        ..
    } = table.names;
    let context = format!("{partition}.5.z-1");
    let entries = ENTRIES.map(|entry| entry.replace("ID", &context));
    table.zset("wheel", &entries.each_ref().map(String::as_str));
    for queue in [
        format!("{group} {handler}"),
        format!("{group} {handler} k="),
        format!("{group} {handler} k=acme"),
        format!("{group} {handler} c=0123456789"),
        format!("{group} !fan"),
    ] {
        table.zset(&format!("ready:{}", queue.replace(' ', ":")), &[]);
        table.put("ZADD", "backlog", &[b"0", queue.as_bytes()]);
    }
    table.zset(
        "backlog",
        &[
            &format!("{group} {handler} /x"),
            &format!("{group} {handler} /{root}"),
        ],
    );
    for key in [
        format!("tags:{group}"),
        "jobs".to_owned(),
        "dead".to_owned(),
        format!("queue:{job}"),
    ] {
        table.zset(&key, &[]);
    }
}

fn hashes(table: &mut Table<'_>) {
    let Names {
        partition,
        group,
        job,
        worker,
        ..
    } = table.names;
    for key in ["held", "retry", "fair", "fans"] {
        table.hash(key, &format!("{partition}.5.z-"));
    }
    for key in ["limit_shares", "limit_waiting", "limit_contended"] {
        table.hash(key, group);
        table.hash(key, &format!("{group} k=acme"));
    }
    table.hash(&format!("limit:{group}"), "p");
    table.hash("placements", "012345678");
    table.hash("used_placements", "012345678");
    table.hash("route:0123456789", worker);
    table.hash(&format!("active:{job}"), &format!("{partition}.5.z-"));
    table.hash("stats", "stale");
    let fields = ["spec", "state", "kind", "next", "plan", "tmpl", "followers"];
    table.fields("job:no/body", &fields);
    table.put("ZADD", "jobs", &[b"0", b"no/body"]);
    let of_fan = [
        "model",
        "state",
        "total",
        "root",
        "by",
        "group",
        "handlers",
        "placement",
        "wanted",
        "quorum",
    ];
    for (n, fields) in [&of_fan[..4], &of_fan, &of_fan[4..], &of_fan[1..2]]
        .iter()
        .enumerate()
    {
        let fan = format!("{partition}.5.z-7{n}");
        table.put(
            "HSET",
            &format!("fan:{fan}"),
            &[b"model", b"map", b"state", b"closed"],
        );
        table.put("HSET", &format!("fan:{fan}"), &[b"group", group.as_bytes()]);
        table.fields(&format!("fan:{fan}"), fields);
        table.put("HSET", "fans", &[fan.as_bytes(), b"map"]);
    }
    // Counters that scripts count on.
    table.fields(
        "stats",
        &[
            "stale",
            "foreign",
            "reaped",
            "put_aside",
            "asides_dropped",
            "dead_dropped",
            "followers_untold",
            "confirmed",
            "reset",
        ],
    );
}

fn lists(table: &mut Table<'_>) {
    let Names {
        handler, job, root, ..
    } = table.names;
    for key in [
        "limit_released".to_owned(),
        format!("ledger:{job}"),
        format!("runs:{job}"),
        format!("log:{root}"),
        format!("parts:{handler}:{root}"),
        format!("results:{root}"),
        "quarantine".to_owned(),
        "asides".to_owned(),
    ] {
        table.list(&key);
    }
    for text in table.texts("events") {
        table.put("XADD", "events", &[b"*", b"s", &text]);
        table.put("XADD", "events", &[b"*", b"other", &text]);
    }
    for key in ["progress", "result"] {
        table.put("SET", &format!("{key}:{root}"), &[b"x \xff"]);
    }
    table.put("SET", "dedup:key", &[b"\xff"]);
    table.put("SET", &format!("awaited:{job}"), &[b"\xff x:what :: "]);
    table.put("SET", "zones", &[b"\xff 2"]);
    left_by_ended(table);
}

/// What ended contexts left, and the ledger of how much it is.
fn left_by_ended(table: &mut Table<'_>) {
    let Names { job, root, .. } = table.names;
    let namespace = job.split('/').next().unwrap_or("default");
    for key in [
        format!("attempts:{root}"),
        format!("split:{root}"),
        format!("subtraced:{root}"),
        "untraced".to_owned(),
    ] {
        table.list(&key);
    }
    for key in [
        "attempted".to_owned(),
        format!("traced:l:{namespace}"),
        format!("traced:r:{namespace}"),
        "spaces:l".to_owned(),
        "spaces:r".to_owned(),
    ] {
        table.zset(&key, &[]);
    }
    table.hash("traces", "l ");
    for field in [
        "!l".to_owned(),
        "!r".to_owned(),
        "!d".to_owned(),
        format!("!l {namespace}"),
        format!("l {root}"),
        format!("r {root}"),
        format!("s {root}"),
        "!budget".to_owned(),
    ] {
        for number in NUMBERS {
            table.put("HSET", "traces", &[field.as_bytes(), number]);
        }
    }
    table.fields("epoch", &["other"]);
}

/// Records that no script writes, for the keys of the cluster that trackers write; `tag` is `{tw}:` under the prefix `tw`.
#[must_use]
pub fn of_cluster(tag: &str, names: &Names) -> Vec<Garbage> {
    let mut table = Table {
        tag,
        names,
        found: Vec::new(),
    };
    table.zset("trackers", &[]);
    table.zset(&format!("workers:{}", names.group), &[]);
    // In the future, so that they count as alive.
    for key in ["trackers".to_owned(), format!("workers:{}", names.group)] {
        table.put("ZADD", &key, &[b"inf", b"x\xff y"]);
        table.put("ZADD", &key, &[b"1.8446744073709552e19", b""]);
    }
    table.hash("groups", "g");
    table.zset("drained", &[]);
    table.hash("limits", "g");
    table.put("HSET", "limits", &[b"!", b"x"]);
    table.hash("pauses", "g");
    table.hash("tokens", "abcdefgh");
    table.put("HSET", "tokens", &[b"!", b"x"]);
    table.hash("tokens_used", "abcdefgh");
    table.hash("sessions", "abcdefgh");
    for text in table.texts("audit") {
        table.put("XADD", "audit", &[b"*", b"e", &text]);
        table.put("XADD", "audit", &[b"*", b"other", &text]);
    }
    table.fields(
        &format!("worker:{}", names.worker),
        &[
            "permits",
            "running",
            "cpus",
            "handlers",
            "resources",
            "tags",
        ],
    );
    table.found
}

/// A text, or a list where a text belongs, in place of every key of a partition.
#[must_use]
pub fn wrong_types_of_partition(tag: &str, names: &Names) -> Vec<Garbage> {
    let mut keys: Vec<String> = of_partition(tag, names)
        .into_iter()
        .map(|one| one.key)
        .collect();
    keys.sort_unstable();
    keys.dedup();
    wrong_types(tag, &keys)
}

/// The same of the cluster's keys.
#[must_use]
pub fn wrong_types_of_cluster(tag: &str, names: &Names) -> Vec<Garbage> {
    let keys = [
        "trackers".to_owned(),
        "limits".to_owned(),
        "pauses".to_owned(),
        "tokens".to_owned(),
        "tokens_used".to_owned(),
        "sessions".to_owned(),
        "audit".to_owned(),
        "groups".to_owned(),
        "drained".to_owned(),
        format!("workers:{}", names.group),
        format!("worker:{}", names.worker),
    ];
    wrong_types(tag, &keys)
}

fn wrong_types(tag: &str, keys: &[String]) -> Vec<Garbage> {
    let one = |key: &String| {
        let is_text = ["dedup:", "progress:", "result:", "awaited:", "zones"]
            .iter()
            .any(|start| key.starts_with(start));
        let words: [&str; 3] = if is_text {
            ["RPUSH", key, "x"]
        } else {
            ["SET", key, "x"]
        };
        let [command, key, value] = words;
        Garbage {
            key: key.to_owned(),
            words: [command, &format!("{tag}{key}"), value]
                .map(|word| word.as_bytes().to_vec())
                .to_vec(),
        }
    };
    keys.iter().map(one).collect()
}
