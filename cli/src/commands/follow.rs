//! A stream that goes on when its tracker goes away: at another one, where the last event was.

use std::time::Duration;

use tickwheel_api::answers::StreamEvent;
use tickwheel_client::Client;
use tickwheel_proto::v1;
use tokio::time::sleep;
use tonic::Streaming;

use crate::failure::Failure;
use crate::output::warn;

/// Until a tracker that went away is asked again, where nobody says when.
const COME_AGAIN: Duration = Duration::from_secs(1);

/// Events, one after the other.
pub(super) struct Follow<'a> {
    client: &'a Client,
    request: v1::SubscribeRequest,
    events: Option<Streaming<v1::StreamEvent>>,
    /// It was told that nobody answers.
    is_told: bool,
}

impl<'a> Follow<'a> {
    /// Begins a stream.
    ///
    /// # Errors
    /// When it is refused, or nobody answers.
    pub(super) async fn begin(
        client: &'a Client,
        request: v1::SubscribeRequest,
    ) -> Result<Self, Failure> {
        let events = client.subscribe(request.clone()).await?;
        Ok(Self {
            client,
            request,
            events: Some(events),
            is_told: false,
        })
    }

    /// The next event; it waits for a tracker as long as there is none.
    ///
    /// # Errors
    /// When it may not go on.
    pub(super) async fn next(&mut self) -> Result<StreamEvent, Failure> {
        loop {
            let Some(events) = &mut self.events else {
                self.again().await?;
                continue;
            };
            match events.message().await {
                Ok(Some(v1::StreamEvent { cursor, event })) => {
                    self.request.cursor = cursor;
                    match event.map(StreamEvent::from) {
                        // Who may not stay is told why when he comes again.
                        Some(StreamEvent::Bye(bye)) => {
                            self.events = None;
                            sleep(Duration::from_millis(bye.retry_ms)).await;
                        }
                        Some(event) => return Ok(event),
                        // Of a kind that is newer than this program.
                        None => {}
                    }
                }
                Ok(None) | Err(_) => {
                    self.events = None;
                    sleep(COME_AGAIN).await;
                }
            }
        }
    }

    /// Goes on behind the last event.
    async fn again(&mut self) -> Result<(), Failure> {
        match self.client.subscribe(self.request.clone()).await {
            Ok(events) => {
                self.events = Some(events);
                self.is_told = false;
                Ok(())
            }
            Err(error) if error.is_retryable() => {
                if !self.is_told {
                    warn(&format!("{error}; trying again"));
                    self.is_told = true;
                }
                sleep(COME_AGAIN).await;
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}
