//! Where due contexts wait for a permit: those of one group, handler and lane wait together.

use std::fmt;
use std::str::FromStr;

use tickwheel_core::id::{GroupName, HandlerName};
use tickwheel_core::routing::LaneId;

/// `<group> <handler>`, and ` c=<lane>` behind them where there is one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Queue {
    /// The workers it is for.
    pub group: GroupName,
    /// What they run.
    pub handler: HandlerName,
    /// Which of them may.
    pub lane: Option<LaneId>,
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.group, self.handler)?;
        match &self.lane {
            Some(lane) => write!(f, " c={lane}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Queue {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut words = text.split(' ');
        let mut word = || words.next().ok_or(());
        let group = word()?.parse().map_err(drop)?;
        let handler = word()?.parse().map_err(drop)?;
        let lane = match words.next() {
            Some(word) => {
                let lane = word.strip_prefix("c=").ok_or(())?;
                Some(lane.parse().map_err(drop)?)
            }
            None => None,
        };
        words
            .next()
            .is_none()
            .then_some(Self {
                group,
                handler,
                lane,
            })
            .ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_two_words_or_three() {
        for text in ["g h", "default send/mail c=0123456789"] {
            assert_eq!(text.parse::<Queue>().unwrap().to_string(), text);
        }
        for text in ["", "g", "g h x", "g h c=123", "g h c=0123456789 x", "g  h"] {
            assert!(text.parse::<Queue>().is_err(), "{text}");
        }
    }
}
