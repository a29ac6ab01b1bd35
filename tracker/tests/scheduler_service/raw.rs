//! Calls with any bytes for a message, as a client of another make may send them.

use bytes::{Buf as _, BufMut as _, Bytes};
use tickwheel_proto::wire::schema::{MESSAGES, METHODS, Method};
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// Bytes as they are.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

/// The methods for callers.
pub(crate) fn methods() -> impl Iterator<Item = &'static Method> {
    METHODS.iter().filter(|method| !method.streams)
}

/// The name of what a method takes.
pub(crate) fn taken(method: &Method) -> &'static str {
    MESSAGES.get(method.takes).unwrap().name
}

/// Calls a method of the service for callers.
pub(crate) async fn call(
    channel: &Channel,
    method: &Method,
    bytes: Bytes,
) -> Result<Bytes, Status> {
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await.unwrap();
    let path = format!("/tickwheel.v1.{}/{}", method.service, method.name);
    let path = PathAndQuery::try_from(path).unwrap();
    let answer = grpc.unary(Request::new(bytes), path, Raw).await?;
    Ok(answer.into_inner())
}

/// The same with what is shown in as many headers.
pub(crate) async fn call_shown(
    channel: &Channel,
    method: &Method,
    bytes: Bytes,
    shown: &[&[u8]],
) -> Result<Bytes, Status> {
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await.unwrap();
    let path = format!("/tickwheel.v1.{}/{}", method.service, method.name);
    let path = PathAndQuery::try_from(path).unwrap();
    let mut request = Request::new(bytes);
    for value in shown {
        let value = MetadataValue::try_from(*value).unwrap();
        request.metadata_mut().append("authorization", value);
    }
    let answer = grpc.unary(request, path, Raw).await?;
    Ok(answer.into_inner())
}
