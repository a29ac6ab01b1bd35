//! The way between a tracker and Redis: it takes time, and it may lose calls, answers and wake messages.

use std::time::Duration;

use bytes::Bytes;
use tickwheel_memory_redis::Reply;
use tickwheel_store::Heard;
use tickwheel_store::script::Script;
use tickwheel_store::transport::{Answer, Answering, Failure, Transport};
use tokio::time::{Instant, sleep};

use crate::world::{Node, Way, World, while_frozen, with};

/// A caller waits no longer for an answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// The connection of one process.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) node: Node,
}

/// What goes over it.
enum Call {
    Function(&'static Script, Vec<String>, Vec<Bytes>),
    Library,
    Script(&'static Script, Vec<String>, Vec<Bytes>),
    Load(&'static Script),
    Read(&'static str, Vec<String>),
    Time,
}

impl Transport for Line {
    fn fcall(&self, script: &'static Script, keys: Vec<String>, args: Vec<Bytes>) -> Answering {
        Box::pin(travel(self.node, Call::Function(script, keys, args)))
    }

    fn load_library(&self) -> Answering {
        Box::pin(travel(self.node, Call::Library))
    }

    fn evalsha(&self, script: &'static Script, keys: Vec<String>, args: Vec<Bytes>) -> Answering {
        Box::pin(travel(self.node, Call::Script(script, keys, args)))
    }

    fn load(&self, script: &'static Script) -> Answering {
        Box::pin(travel(self.node, Call::Load(script)))
    }

    fn read(&self, command: &'static str, args: Vec<String>) -> Answering {
        Box::pin(travel(self.node, Call::Read(command, args)))
    }

    fn time(&self) -> Answering {
        Box::pin(travel(self.node, Call::Time))
    }
}

/// What becomes of a call.
struct Fate {
    there: Duration,
    back: Duration,
    kind: Kind,
}

enum Kind {
    Answered,
    Lost,
    Unanswered,
    Late(Duration),
}

fn fate() -> Fate {
    with(|world| {
        let weather = world.weather;
        let rng = &mut world.rng;
        let extra = if rng.permille(weather.slow) {
            rng.below(1_000)
        } else {
            0
        };
        let there = Duration::from_millis(rng.below(weather.delay_ms + 1) + extra);
        let back = Duration::from_millis(rng.below(weather.delay_ms + 1));
        let kind = if rng.permille(weather.lost_answers) {
            Kind::Unanswered
        } else if rng.permille(weather.lost_calls) {
            Kind::Lost
        } else if rng.permille(weather.late_calls) {
            Kind::Late(PATIENCE + Duration::from_millis(rng.below(2_000)))
        } else {
            Kind::Answered
        };
        Fate { there, back, kind }
    })
}

async fn travel(node: Node, call: Call) -> Result<Answer, Failure> {
    while_frozen(node).await;
    let Fate { there, back, kind } = fate();
    sleep(there).await;
    let reachable = with(|world| {
        let now = Instant::now();
        world.redis_down_until <= now && world.process(node).cut_off_until <= now
    });
    // What a process sent before it died may arrive, or not.
    let arrives = with(|world| world.process(node).alive || world.rng.one_in(2));
    match kind {
        Kind::Late(after) if reachable => {
            tokio::spawn(async move {
                sleep(after).await;
                with(|world| run(world, node, &call)).ok();
            });
            sleep(PATIENCE).await;
        }
        Kind::Answered | Kind::Unanswered if reachable && arrives => {
            let answer = with(|world| run(world, node, &call));
            if matches!(kind, Kind::Answered) {
                sleep(back).await;
                while_frozen(node).await;
                return answer;
            }
            with(|world| world.note(|| "its answer is lost".to_owned()));
            sleep(PATIENCE).await;
        }
        Kind::Answered | Kind::Unanswered | Kind::Late(_) | Kind::Lost => sleep(PATIENCE).await,
    }
    while_frozen(node).await;
    Err(Failure::Silence)
}

fn run(world: &mut World, node: Node, call: &Call) -> Result<Answer, Failure> {
    match call {
        Call::Function(script, keys, arguments) => {
            answer(world.execute(node, Way::Function, script, (keys, arguments)))
        }
        Call::Library => answer(world.load_library()),
        Call::Script(script, keys, arguments) => {
            answer(world.execute(node, Way::Digest, script, (keys, arguments)))
        }
        Call::Load(script) => {
            world.load(script);
            Ok(Answer::Nil)
        }
        Call::Read(command, args) => {
            world.redis.set_clock_ms(world.now_ms());
            let words = args.iter().map(String::as_bytes);
            let words: Vec<&[u8]> = std::iter::once(command.as_bytes()).chain(words).collect();
            answer(world.redis.command(&words))
        }
        Call::Time => Ok(Answer::Bytes(world.now_ms().to_string().into())),
    }
}

fn answer(reply: Reply) -> Result<Answer, Failure> {
    match reply {
        Reply::Error(text) => Err(Failure::Said(text)),
        Reply::Nil => Ok(Answer::Nil),
        Reply::Int(number) => Ok(Answer::Int(number)),
        Reply::Status(word) => Ok(Answer::Bytes(Bytes::from_static(word.as_bytes()))),
        Reply::Bytes(bytes) => Ok(Answer::Bytes(bytes.into())),
        Reply::List(items) => items
            .into_iter()
            .map(answer)
            .collect::<Result<_, _>>()
            .map(Answer::List),
    }
}

/// Tells a tracker that it may have missed something, as its client does after a reconnect.
pub(crate) fn tell_gap(node: Node, after: Duration) {
    let hears = with(|world| world.process(node).hears.clone());
    let Some(hears) = hears else {
        return;
    };
    tokio::spawn(async move {
        sleep(after).await;
        while_frozen(node).await;
        hears.try_send(Heard::Gap).ok();
    });
}
