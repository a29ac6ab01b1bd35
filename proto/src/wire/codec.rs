//! The codec of both services: bounds first, then prost.

use std::marker::PhantomData;

use bytes::Buf as _;
use prost::Message;
use tickwheel_core::error::Violation;
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder};
use tonic_prost::{ProstCodec, ProstEncoder};

use super::measure::check;
use super::refusal;
use super::schema::{METHODS, Spoken};

/// A stream begins with buffers of so many bytes; they grow with what passes. Thousands of workers are connected, and most say little.
const BUFFER_BYTES: usize = 1_024;
/// What is ready is sent at so many bytes.
const SENT_BYTES: usize = 32_768;

fn buffers() -> BufferSettings {
    BufferSettings::new(BUFFER_BYTES, SENT_BYTES)
}

/// Encodes as prost does; decodes what is within the bounds of [`bounds`](super::bounds).
#[derive(Debug, Clone)]
pub struct BoundedCodec<T, U> {
    types: PhantomData<(T, U)>,
}

impl<T, U> Default for BoundedCodec<T, U> {
    fn default() -> Self {
        Self { types: PhantomData }
    }
}

impl<T, U> Codec for BoundedCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Spoken + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = BoundedDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<T, U>::raw_encoder(buffers())
    }

    fn decoder(&mut self) -> Self::Decoder {
        BoundedDecoder {
            message: PhantomData,
        }
    }
}

/// Decodes one kind of message.
#[derive(Debug, Clone)]
pub struct BoundedDecoder<U> {
    message: PhantomData<U>,
}

impl<U: Message + Default + Spoken> Decoder for BoundedDecoder<U> {
    type Item = U;
    type Error = Status;

    fn buffer_settings(&self) -> BufferSettings {
        buffers()
    }

    fn decode(&mut self, buf: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        // All of the message lies in one piece.
        check(U::PLACE, buf.chunk()).map_err(|wrong| refused::<U>(&wrong))?;
        U::decode(buf).map(Some).map_err(|error| {
            // It names the field, and repeats nothing of what was sent.
            refused::<U>(&Violation::new("", error.to_string(), ""))
        })
    }
}

/// A caller has to change its message; an answer that is no answer is nobody's fault who reads it.
fn refused<U: Spoken>(wrong: &Violation) -> Status {
    if METHODS.iter().any(|method| method.takes == U::PLACE) {
        refusal::invalid(wrong)
    } else {
        Status::internal(format!("the answer cannot be read: {wrong}"))
    }
}
