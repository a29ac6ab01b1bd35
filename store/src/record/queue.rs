//! Where due contexts wait for a permit: those of one group, handler and placement wait together, those with a fairness key apart.

use std::fmt;
use std::str::FromStr;

use tickwheel_core::fairness::FairnessKey;
use tickwheel_core::id::{GroupName, HandlerName};
use tickwheel_core::routing::PlacementId;

/// `<group> <handler>`, ` c=<placement>` behind them where there is one, and ` k=` behind that for contexts with a fairness key; contexts whose
/// key is at its limit wait apart, in ` k=<key>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Queue {
    /// The workers it is for.
    pub group: GroupName,
    /// What they run.
    pub handler: HandlerName,
    /// Which of them may.
    pub placement: Option<PlacementId>,
    /// Those with a fairness key wait in it.
    pub fair: bool,
    /// Only those of this key, until its limit lets them go on.
    pub stopped: Option<FairnessKey>,
}

impl Queue {
    /// The queue as workers are offered for it: with or without fairness keys they are the same.
    #[must_use]
    pub fn offered(&self) -> Self {
        Self {
            fair: false,
            stopped: None,
            ..self.clone()
        }
    }
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.group, self.handler)?;
        if let Some(placement) = &self.placement {
            write!(f, " c={placement}")?;
        }
        match &self.stopped {
            Some(key) => write!(f, " k={key}"),
            None if self.fair => f.write_str(" k="),
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
        let mut next = words.next();
        let placement = match next.and_then(|word| word.strip_prefix("c=")) {
            Some(placement) => {
                next = words.next();
                Some(placement.parse().map_err(drop)?)
            }
            None => None,
        };
        let (mut fair, mut stopped) = (false, None);
        if let Some(key) = next.and_then(|word| word.strip_prefix("k=")) {
            next = words.next();
            fair = true;
            if !key.is_empty() {
                stopped = Some(key.parse().map_err(drop)?);
            }
        }
        next.is_none()
            .then_some(Self {
                group,
                handler,
                placement,
                fair,
                stopped,
            })
            .ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_two_words_to_four() {
        for text in [
            "g h",
            "g h k=",
            "g k",
            "g h k=a@b.c",
            "default send/mail c=0123456789",
            "default send/mail c=0123456789 k=",
        ] {
            assert_eq!(text.parse::<Queue>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "g",
            "g h x",
            "g h c=123",
            "g h c=0123456789 x",
            "g h k= x",
            "g h k=a:b",
            "g  h",
        ] {
            assert!(text.parse::<Queue>().is_err(), "{text}");
        }
    }
}
