//! Wake messages: what scripts publish on the channel of a partition, for the trackers. Their grammar is in `docs/keyspace.md`.

use tickwheel_core::cancel::CancelReason;
use tickwheel_core::id::{AttemptNo, ContextId, WorkerId};
use tickwheel_core::limits::LimitName;
use tickwheel_core::partition::PartitionId;
use tickwheel_core::time::TimestampMs;
use tokio::sync::{mpsc, watch};

use crate::client::{Heard, Hearing};
use crate::error::Error;
use crate::store::Store;

/// A message that was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wake {
    /// On whose channel.
    pub partition: PartitionId,
    /// What it says.
    pub message: Message,
}

/// What a wake message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Something in the partition is due then, earlier than all that was known; zero: now.
    Due(TimestampMs),
    /// Another partition shall report what it uses of a limit that lies in this one: something is free for it, or others wait.
    Report {
        /// The one that shall report.
        partition: PartitionId,
        /// The limit.
        limit: LimitName,
    },
    /// An attempt that runs has to stop.
    Cancel(WorkerCancel),
}

/// A cancellation to tell a worker of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerCancel {
    /// The worker that runs it.
    pub worker: WorkerId,
    /// The context.
    pub context: ContextId,
    /// Its attempt.
    pub attempt: AttemptNo,
    /// Why.
    pub reason: CancelReason,
}

impl Wake {
    /// Reads what was published on a channel; `None` for what is no wake message, as anybody may publish.
    #[must_use]
    pub fn read(channel: &str, text: &str) -> Option<Self> {
        let partition = partition_of(channel)?;
        let (word, rest) = text.split_once(' ')?;
        let message = match word {
            "due" => Message::Due(TimestampMs::new(rest.parse().ok()?)),
            "limit" => {
                let (partition, limit) = rest.split_once(' ')?;
                Message::Report {
                    partition: PartitionId::new(partition.parse().ok()?).ok()?,
                    limit: limit.parse().ok()?,
                }
            }
            "cancel" => Message::Cancel(WorkerCancel::parse(rest)?),
            _ => return None,
        };
        Some(Self { partition, message })
    }
}

impl WorkerCancel {
    /// Reads `<worker> <context> <attempt> <reason>`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let worker = words.next()?.parse().ok()?;
        let context = words.next()?.parse().ok()?;
        let attempt = AttemptNo::new(words.next()?.parse().ok()?);
        let reason = reason(words.next()?);
        Some(Self {
            worker,
            context,
            attempt,
            reason,
        })
    }
}

/// The reason of a script, or of a held value. One that nobody here knows, as that of a newer version, stops the attempt all the same: as one
/// that is no longer its worker's, whose report is not waited for.
pub(crate) fn reason(word: &str) -> CancelReason {
    word.parse().unwrap_or(CancelReason::Fenced)
}

/// The partition in `{<prefix>:<partition>}:wake`.
fn partition_of(channel: &str) -> Option<PartitionId> {
    let number = channel.split_once('}')?.0.rsplit(':').next()?;
    PartitionId::new(number.parse().ok()?).ok()
}

impl Store {
    /// Hears the wake channels of all partitions, as [`Redis::hear`](crate::Redis::hear) does.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the connection or a subscription fails at the start.
    pub async fn hear(&self) -> Result<(mpsc::Receiver<Heard>, watch::Receiver<Hearing>), Error> {
        let partitions = self.partitions().partitions();
        let channels = partitions.map(|partition| self.keys().wake(partition));
        self.redis().hear(channels.collect()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Message> {
        Wake::read("{tw:7}:wake", text).map(|wake| wake.message)
    }

    #[test]
    fn each_message_of_the_scripts_is_read() {
        let wake = Wake::read("{tw:7}:wake", "due 0").unwrap();
        assert_eq!(wake.partition, PartitionId::new(7).unwrap());
        assert_eq!(
            read("due 1700"),
            Some(Message::Due(TimestampMs::new(1_700)))
        );
        let report = Message::Report {
            partition: PartitionId::new(3).unwrap(),
            limit: "g k=a".parse().unwrap(),
        };
        assert_eq!(read("limit 3 g k=a"), Some(report));
        for reason in CancelReason::ALL {
            let cancel = Message::Cancel(WorkerCancel {
                worker: "mill-1a2b3c4d".parse().unwrap(),
                context: "3.1000000.a-1".parse().unwrap(),
                attempt: AttemptNo::new(2),
                reason: *reason,
            });
            let text = format!("cancel mill-1a2b3c4d 3.1000000.a-1 2 {reason}");
            assert_eq!(read(&text), Some(cancel));
        }
    }

    #[test]
    fn what_is_no_wake_message_is_none() {
        for text in [
            "",
            "due",
            "due ",
            "due -1",
            "due x",
            "limit 3",
            "limit x g",
            "limit 3 ",
            "cancel w",
            "cancel w c 1",
            "cancel w 3.1000000.a-1 x REQUESTED",
            "probe 7",
            "DUE 1",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        for channel in [
            "",
            "tw:7:wake",
            "{tw:x}:wake",
            "{tw:1024}:wake",
            "{tw}:wake",
        ] {
            assert_eq!(Wake::read(channel, "due 1"), None, "{channel}");
        }
        let newer = read("cancel w 3.1000000.a-1 2 PREEMPTED");
        let Some(Message::Cancel(cancel)) = newer else {
            panic!("{newer:?}");
        };
        assert_eq!(cancel.reason, CancelReason::Fenced);
    }
}
