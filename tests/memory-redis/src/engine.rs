//! Runs scripts: Lua 5.1 with the functions, the conversions and the guards that Redis gives them.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

use mlua::{Function, Lua, MultiValue, Table, Value};
use sha1::{Digest, Sha1};

use crate::commands::{run_in_script, tag_of};
use crate::db::Db;
use crate::number::{double, is_whole, print, truncated};
use crate::reply::Reply;

/// What Redis does before a script: errors as values, and no variable outside the script.
const SETUP: &str = "
local call = ...
redis = { call = call, sha1hex = sha1hex, REPL_ALL = 3 }
sha1hex = nil
for _, name in ipairs({ 'print', 'dofile', 'loadfile', 'io', 'package', 'require' }) do rawset(_G, name, nil) end
math.random, math.randomseed, os = nil, nil, nil
KEYS, ARGV = {}, {}
setmetatable(_G, {
  __index = function(_, name) error('Script attempted to access nonexistent global variable \\'' .. tostring(name) .. '\\'', 2) end,
  __newindex = function(_, name) error('Script attempted to create global variable \\'' .. tostring(name) .. '\\'', 2) end,
})
local pcall = pcall
return function(script, ...)
  local done, value = pcall(script, ...)
  return done, value
end";

struct Script {
    function: Function,
    reads_only: bool,
    runs_when_full: bool,
}

/// The script that runs: its hash tag, and whether it may write.
#[derive(Debug, Default)]
struct Present {
    /// None without keys: such a script may go anywhere, as it is called on one server by tests.
    tag: Option<Vec<u8>>,
    reads_only: bool,
}

pub(crate) struct Engine {
    lua: Lua,
    guard: Function,
    scripts: HashMap<String, Script>,
    /// Compiled before and forgotten: compiling costs more than a call.
    forgotten: HashMap<String, Script>,
    /// By the names that they were registered with.
    functions: HashMap<String, Script>,
    present: Rc<RefCell<Present>>,
    /// Written before an error: Redis does not roll back, and neither does this.
    failed: Cell<u64>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("scripts", &self.scripts.len())
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

fn digest(text: &[u8]) -> String {
    let bytes = Sha1::digest(text);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn words(error: &mlua::Error) -> String {
    error.to_string()
}

impl Engine {
    pub(crate) fn new(db: &Rc<RefCell<Db>>) -> Result<Self, String> {
        Self::set_up(db).map_err(|error| words(&error))
    }

    fn set_up(db: &Rc<RefCell<Db>>) -> mlua::Result<Self> {
        let lua = Lua::new();
        let present = Rc::new(RefCell::new(Present::default()));
        let (db, script) = (Rc::clone(db), Rc::clone(&present));
        let call = lua.create_function(move |lua, arguments: MultiValue| {
            let reply = call(&mut db.borrow_mut(), &script.borrow(), &arguments);
            to_lua(lua, reply)
        })?;
        let sha1hex =
            lua.create_function(|_, text: mlua::LuaString| Ok(digest(&text.as_bytes())))?;
        lua.globals().set("sha1hex", sha1hex)?;
        let guard = lua.load(SETUP).set_name("@setup").call(call)?;
        Ok(Self {
            lua,
            guard,
            scripts: HashMap::new(),
            forgotten: HashMap::new(),
            functions: HashMap::new(),
            present,
            failed: Cell::new(0),
        })
    }

    pub(crate) fn knows(&self, sha1: &str) -> bool {
        self.scripts.contains_key(sha1)
    }

    pub(crate) fn forget(&mut self) {
        self.forgotten.extend(self.scripts.drain());
        self.functions.clear();
    }

    /// `FUNCTION LOAD REPLACE`, of libraries whose names differ with their texts.
    pub(crate) fn load_library(&mut self, text: &str) -> Result<(), String> {
        let (_, body) = text.split_once('\n').unwrap_or((text, ""));
        let wrong = |error: mlua::Error| format!("ERR Error compiling function: {}", words(&error));
        let found = self.registered(&format!("\n{body}")).map_err(wrong)?;
        self.functions.extend(found);
        Ok(())
    }

    /// Runs the text of a library, and takes in what it registers.
    fn registered(&self, body: &str) -> mlua::Result<HashMap<String, Script>> {
        let found = Rc::new(RefCell::new(HashMap::new()));
        let taken = Rc::clone(&found);
        let register = self.lua.create_function(move |_, of: Table| {
            let flags: Vec<String> = of.get("flags")?;
            let has = |flag: &str| flags.iter().any(|one| one == flag);
            let script = Script {
                function: of.get("callback")?,
                reads_only: has("no-writes"),
                runs_when_full: has("no-writes") || has("allow-oom"),
            };
            taken.borrow_mut().insert(of.get("function_name")?, script);
            Ok(())
        })?;
        let redis: Table = self.lua.globals().raw_get("redis")?;
        redis.raw_set("register_function", register)?;
        let library = self.lua.load(body).set_name("@user_function");
        let ran = library.exec();
        redis.raw_set("register_function", Value::Nil)?;
        ran?;
        Ok(found.take())
    }

    pub(crate) fn load(&mut self, text: &str) -> Result<String, String> {
        let sha1 = digest(text.as_bytes());
        if self.knows(&sha1) {
            return Ok(sha1);
        }
        if let Some(script) = self.forgotten.remove(&sha1) {
            self.scripts.insert(sha1.clone(), script);
            return Ok(sha1);
        }
        // The first line names flags; Lua gets an empty one, so that lines keep their numbers.
        let (flags, body) = match text.strip_prefix("#!lua") {
            Some(rest) => rest.split_once('\n').unwrap_or((rest, "")),
            None => (" flags=allow-oom", text),
        };
        let body = if text.starts_with("#!lua") {
            format!("\n{body}")
        } else {
            body.to_owned()
        };
        let compiled = self.lua.load(body).set_name("@user_script").into_function();
        let function =
            compiled.map_err(|error| format!("ERR Error compiling script: {}", words(&error)))?;
        let reads_only = flags.contains("no-writes");
        let script = Script {
            function,
            reads_only,
            runs_when_full: reads_only || flags.contains("allow-oom"),
        };
        self.scripts.insert(sha1.clone(), script);
        Ok(sha1)
    }

    pub(crate) fn run(
        &self,
        db: &RefCell<Db>,
        sha1: &str,
        keys: &[&[u8]],
        arguments: &[&[u8]],
    ) -> Reply {
        let Some(script) = self.scripts.get(sha1) else {
            return Reply::error("NOSCRIPT No matching script. Please use EVAL.");
        };
        self.run_script(db, (script, sha1), keys, |engine| {
            let globals = engine.lua.globals();
            globals.raw_set("KEYS", engine.strings(keys)?)?;
            globals.raw_set("ARGV", engine.strings(arguments)?)?;
            engine.guard.call(&script.function)
        })
    }

    /// `FCALL`.
    pub(crate) fn fcall(
        &self,
        db: &RefCell<Db>,
        name: &str,
        keys: &[&[u8]],
        arguments: &[&[u8]],
    ) -> Reply {
        let Some(script) = self.functions.get(name) else {
            return Reply::error("ERR Function not found");
        };
        self.run_script(db, (script, name), keys, |engine| {
            let (keys, arguments) = (engine.strings(keys)?, engine.strings(arguments)?);
            engine.guard.call((&script.function, keys, arguments))
        })
    }

    fn run_script(
        &self,
        db: &RefCell<Db>,
        (script, name): (&Script, &str),
        keys: &[&[u8]],
        run: impl FnOnce(&Self) -> mlua::Result<(bool, Value)>,
    ) -> Reply {
        if db.borrow().full && !script.runs_when_full {
            return Reply::error("OOM command not allowed when used memory > 'maxmemory'.");
        }
        let tag = keys.first().map(|key| tag_of(key).to_vec());
        if keys.iter().any(|key| Some(tag_of(key)) != tag.as_deref()) {
            return Reply::error("CROSSSLOT Keys in request don't hash to the same slot");
        }
        *self.present.borrow_mut() = Present {
            tag,
            reads_only: script.reads_only,
        };
        let reply = match run(self) {
            Ok((true, value)) => from_lua(&value),
            Ok((false, value)) => raised(&value, name),
            Err(error) => Reply::error(format!("ERR {}", words(&error))),
        };
        if matches!(reply, Reply::Error(_)) {
            self.failed.set(self.failed.get() + 1);
        }
        reply
    }

    fn strings(&self, texts: &[&[u8]]) -> mlua::Result<Table> {
        let table = self.lua.create_table_with_capacity(texts.len(), 0)?;
        for (index, text) in texts.iter().enumerate() {
            table.raw_set(index + 1, self.lua.create_string(text)?)?;
        }
        Ok(table)
    }
}

/// `redis.call`.
fn call(db: &mut Db, present: &Present, arguments: &MultiValue) -> Result<Reply, String> {
    let mut words = Vec::with_capacity(arguments.len());
    for argument in arguments {
        words.push(word(argument)?);
    }
    let (name, rest) = words
        .split_first()
        .ok_or("ERR Please specify at least one argument for this redis.call() call")?;
    let name = String::from_utf8_lossy(name).to_ascii_uppercase();
    run_in_script(
        db,
        (&name, rest),
        (present.tag.as_deref(), present.reads_only),
    )
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "Redis takes texts and numbers"
)]
fn word(value: &Value) -> Result<Vec<u8>, String> {
    match value {
        Value::String(text) => Ok(text.as_bytes().to_vec()),
        Value::Integer(number) => Ok(number.to_string().into_bytes()),
        Value::Number(number) if is_whole(*number) || number.is_infinite() => Ok(print(*number)),
        Value::Number(number) => Err(format!("ERR {number} is not whole: not simulated")),
        _ => Err("ERR Lua redis lib command arguments must be strings or integers".to_owned()),
    }
}

fn to_lua(lua: &Lua, reply: Result<Reply, String>) -> mlua::Result<Value> {
    match reply {
        Err(text) | Ok(Reply::Error(text)) => Err(mlua::Error::RuntimeError(text)),
        // A reply of nothing is false in Lua.
        Ok(Reply::Nil) => Ok(Value::Boolean(false)),
        Ok(Reply::Int(number)) => Ok(Value::Number(double(number))),
        Ok(Reply::Bytes(bytes)) => Ok(Value::String(lua.create_string(bytes)?)),
        Ok(Reply::Status(word)) => {
            let table = lua.create_table()?;
            table.raw_set("ok", word)?;
            Ok(Value::Table(table))
        }
        Ok(Reply::List(items)) => {
            let table = lua.create_table_with_capacity(items.len(), 0)?;
            for (index, item) in items.into_iter().enumerate() {
                table.raw_set(index + 1, to_lua(lua, Ok(item))?)?;
            }
            Ok(Value::Table(table))
        }
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "Redis answers with nothing for what it does not convert"
)]
fn from_lua(value: &Value) -> Reply {
    match value {
        Value::String(text) => Reply::bytes(&text.as_bytes()),
        Value::Integer(number) => Reply::Int(*number),
        Value::Number(number) => Reply::Int(truncated(*number)),
        Value::Boolean(true) => Reply::Int(1),
        Value::Table(table) => list(table),
        _ => Reply::Nil,
    }
}

/// A table is a list up to its first nothing.
fn list(table: &Table) -> Reply {
    if let Ok(text) = table.raw_get::<String>("err") {
        return Reply::Error(text);
    }
    let mut items = Vec::new();
    for index in 1_usize.. {
        match table.raw_get::<Value>(index) {
            Ok(Value::Nil) | Err(_) => break,
            Ok(value) => items.push(from_lua(&value)),
        }
    }
    Reply::List(items)
}

/// An error as Redis words it.
#[expect(clippy::wildcard_enum_match_arm, reason = "anything can be raised")]
fn raised(value: &Value, sha1: &str) -> Reply {
    let text = match value {
        Value::Table(table) => table.raw_get::<String>("err").unwrap_or_default(),
        Value::String(text) => format!("ERR {}", text.to_string_lossy()),
        Value::Error(error) => innermost(error),
        other => format!("ERR {other:?}"),
    };
    Reply::Error(format!("{text} script: {sha1}"))
}

fn innermost(error: &mlua::Error) -> String {
    if let mlua::Error::CallbackError { cause, .. } = error {
        return innermost(cause);
    }
    let text = words(error);
    let text = text.strip_prefix("runtime error: ").unwrap_or(&text);
    text.lines().next().unwrap_or_default().to_owned()
}
