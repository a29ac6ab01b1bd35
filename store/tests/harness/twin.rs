//! A Redis in memory beside the real one: every command goes to both, and both must answer the same.

use std::cell::RefCell;

use fred::types::Value;
use tickwheel_memory_redis::{MemoryRedis, Reply};
use tickwheel_store::script;

thread_local! {
    static TWIN: RefCell<Option<MemoryRedis>> = const { RefCell::new(None) };
}

/// Any time: the scripts of the model test are given theirs.
const CLOCK_MS: u64 = 1_800_000_000_000;

/// From here on every command of this thread goes to the twin as well.
pub(crate) fn join() {
    let mut twin = MemoryRedis::new().unwrap();
    twin.set_clock_ms(CLOCK_MS);
    twin.load_library(script::LIBRARY.text()).unwrap();
    for script in script::all() {
        assert_eq!(twin.load(script.text()).unwrap(), script.sha1());
    }
    TWIN.set(Some(twin));
}

/// Runs the command on the twin, if there is one, and compares.
pub(crate) fn compare(words: &[&str], answer: &Value) {
    TWIN.with_borrow_mut(|twin| {
        let Some(twin) = twin else {
            return;
        };
        let bytes: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        let (mut real, mut memory) = (reply_of(answer), twin.command(&bytes));
        // The order of `KEYS`, with which a test reads everything, is Redis' own affair.
        if words[0] == "EVAL" {
            sort(&mut real);
            sort(&mut memory);
        }
        assert_eq!(
            memory, real,
            "{words:?} on the Redis in memory and on the real one"
        );
    });
}

fn sort(reply: &mut Reply) {
    if let Reply::List(items) = reply {
        items.iter_mut().for_each(sort);
        items.sort_by_key(|item| format!("{item:?}"));
    }
}

fn reply_of(value: &Value) -> Reply {
    match value {
        Value::Null => Reply::Nil,
        Value::Integer(number) => Reply::Int(*number),
        Value::Bytes(bytes) => Reply::Bytes(bytes.to_vec()),
        Value::String(text) if &**text == "OK" => Reply::Status("OK"),
        Value::String(text) => Reply::Bytes(text.as_bytes().to_vec()),
        Value::Array(items) => Reply::List(items.iter().map(reply_of).collect()),
        Value::Boolean(_) | Value::Double(_) | Value::Queued | Value::Map(_) => {
            panic!("{value:?} is no reply of the second protocol version")
        }
    }
}
