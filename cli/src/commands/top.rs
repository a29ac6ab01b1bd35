//! `tickwheel top`: how it is now, again and again.

use std::collections::VecDeque;
use std::io::{IsTerminal as _, Write as _};

use clap::Args;
use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::queue;
use crossterm::terminal::{Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, size};
use tickwheel_api::answers::{EndedRun, Overview, StreamEvent};
use tickwheel_proto::v1;

use super::follow::Follow;
use crate::failure::Failure;
use crate::global::Global;
use crate::output::{Format, put, shortened};
use crate::shutdown::Shutdown;
use crate::views::{ended_run_text, overview_text};

/// Runs that ended without success, the newest first, below the numbers.
const FAILURES: usize = 10;

#[derive(Debug, Args)]
pub(crate) struct TopArgs {
    /// End after so many looks
    #[arg(short = 'n', long, value_name = "N")]
    limit: Option<u64>,
}

/// Shows an overview each second until it is interrupted: on a terminal in place of the one before, elsewhere one below the other.
pub(crate) async fn run(global: &Global, args: TopArgs) -> Result<(), Failure> {
    let client = global.connect().await?;
    let failed = [
        v1::ContextState::Failed,
        v1::ContextState::TimedOut,
        v1::ContextState::Expired,
    ];
    let request = v1::SubscribeRequest {
        topics: vec!["now".to_owned(), "runs".to_owned()],
        states: failed.map(i32::from).to_vec(),
        ..v1::SubscribeRequest::default()
    };
    let mut events = Follow::begin(&client, request).await?;
    let mut shutdown = Shutdown::listen()?;
    let on_screen = global.output == Format::Table && std::io::stdout().is_terminal();
    let screen = on_screen.then(Screen::enter).transpose()?;
    let mut left = args.limit.unwrap_or(u64::MAX);
    let mut failures = VecDeque::new();
    while left > 0 {
        let event = tokio::select! {
            event = events.next() => event?,
            () = shutdown.requested() => break,
        };
        match event {
            StreamEvent::Now(now) => {
                left -= 1;
                match &screen {
                    Some(screen) => screen.draw(&lines(&now, &failures))?,
                    None => global.output.line::<Overview>(&now, overview_text)?,
                }
            }
            StreamEvent::Runs(ended) => {
                failures.extend(ended.runs);
                while failures.len() > FAILURES {
                    failures.pop_front();
                }
            }
            StreamEvent::Log(_) | StreamEvent::Lagged(_) | StreamEvent::Bye(_) => {}
        }
    }
    Ok(())
}

/// What stands on the screen.
fn lines(now: &Overview, failures: &VecDeque<EndedRun>) -> Vec<String> {
    let mut text = overview_text(now);
    if let Some(totals) = &now.totals {
        let sum = totals.ended.sum();
        text.push_str(&format!("\n{}.{} ended a second\n", sum / 60, sum % 60 / 6));
    }
    if !failures.is_empty() {
        text.push_str("\nended without success, the newest first\n");
        for run in failures.iter().rev() {
            text.push_str(&ended_run_text(run));
            text.push('\n');
        }
    }
    text.push_str("\nCtrl-C ends\n");
    text.lines().map(str::to_owned).collect()
}

/// The terminal while this is shown; it is as it was before when this is dropped, however that comes.
struct Screen;

impl Screen {
    fn enter() -> Result<Self, Failure> {
        let mut bytes = Vec::new();
        queue!(bytes, EnterAlternateScreen, Hide).map_err(broken)?;
        put(&String::from_utf8_lossy(&bytes))?;
        Ok(Self)
    }

    /// As much as fits, in place of what was there.
    fn draw(&self, lines: &[String]) -> Result<(), Failure> {
        let (width, height) = size().unwrap_or((80, 24));
        let mut bytes = Vec::new();
        queue!(bytes, MoveTo(0, 0)).map_err(broken)?;
        for line in lines.iter().take(usize::from(height)) {
            bytes.extend(shortened(line, usize::from(width)).as_bytes());
            queue!(bytes, Clear(ClearType::UntilNewLine)).map_err(broken)?;
            bytes.extend(b"\r\n");
        }
        queue!(bytes, Clear(ClearType::FromCursorDown)).map_err(broken)?;
        put(&String::from_utf8_lossy(&bytes))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let mut out = std::io::stdout().lock();
        // Nobody is left to tell when the terminal is gone.
        drop(queue!(out, Show, LeaveAlternateScreen));
        drop(out.flush());
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "errors are mapped by it as they come"
)]
fn broken(error: std::io::Error) -> Failure {
    Failure::broken(format!("cannot draw on the terminal: {error}"))
}
