//! Handlers: a function of a context and a body, typed by serde or raw bytes, behind one object-safe trait.

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::context::Context;
use crate::error::{HandlerResult, fatal};

/// Runs one attempt. Closures get it through `handle` and `handle_raw`; implement it for handlers with their own state.
pub trait Handler: Send + Sync + 'static {
    /// Body in, result out. Dropping the future must leave nothing half done that a later attempt cannot repair.
    fn call(&self, ctx: Context, body: Bytes) -> BoxFuture<'static, HandlerResult<Bytes>>;
}

/// A handler of bytes.
pub(crate) struct Raw<F>(pub(crate) F);

impl<F, Fut> Handler for Raw<F>
where
    F: Fn(Context, Bytes) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = HandlerResult<Bytes>> + Send + 'static,
{
    fn call(&self, ctx: Context, body: Bytes) -> BoxFuture<'static, HandlerResult<Bytes>> {
        (self.0)(ctx, body).boxed()
    }
}

/// A handler of JSON.
pub(crate) struct Typed<F, B, T> {
    function: F,
    types: std::marker::PhantomData<fn(B) -> T>,
}

impl<F, B, T> Typed<F, B, T> {
    pub(crate) fn new(function: F) -> Self {
        Self {
            function,
            types: std::marker::PhantomData,
        }
    }
}

impl<F, Fut, B, T> Handler for Typed<F, B, T>
where
    F: Fn(Context, B) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = HandlerResult<T>> + Send + 'static,
    B: DeserializeOwned + 'static,
    T: Serialize + 'static,
{
    fn call(&self, ctx: Context, body: Bytes) -> BoxFuture<'static, HandlerResult<Bytes>> {
        match decode_json::<B>(&body) {
            Ok(body) => (self.function)(ctx, body)
                .map(|result| encode(&result?))
                .boxed(),
            Err(error) => {
                let handler = ctx.handler();
                let error = fatal(format!(
                    "the body does not fit handler \"{handler}\": {error}"
                ));
                futures_util::future::ready(Err(error)).boxed()
            }
        }
    }
}

/// An empty body reads as `null`, so that a context without one fits `()` and `Option`.
pub(crate) fn decode_json<B: DeserializeOwned>(body: &[u8]) -> Result<B, serde_json::Error> {
    serde_json::from_slice(if body.is_empty() { b"null" } else { body })
}

pub(crate) fn encode<T: Serialize>(result: &T) -> HandlerResult<Bytes> {
    encode_json(result)
        .map_err(|error| fatal(format!("the result cannot be written as JSON: {error}")))
}

/// `null` is written as nothing.
pub(crate) fn encode_json<T: Serialize + ?Sized>(value: &T) -> Result<Bytes, serde_json::Error> {
    let json = serde_json::to_vec(value)?;
    Ok(if json == b"null" {
        Bytes::new()
    } else {
        Bytes::from(json)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reads_and_writes_as_null() {
        decode_json::<()>(b"").unwrap();
        assert_eq!(decode_json::<Option<u8>>(b"").unwrap(), None);
        assert_eq!(decode_json::<u8>(b"7").unwrap(), 7);
        assert!(encode(&()).unwrap().is_empty());
        assert_eq!(encode(&vec![1]).unwrap(), "[1]");
    }
}
