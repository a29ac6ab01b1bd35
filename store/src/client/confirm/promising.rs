//! Connections whose writes come as far as was promised.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use fred::interfaces::ClientLike;
use parking_lot::Mutex;
use tickwheel_core::Durability;

use super::{Confirmer, Fsync, Promise, WAIT_MAX};
use crate::client::Redis;
use crate::client::setup::{COMMAND_TIMEOUT, builder};
use crate::error::Error;

impl Redis {
    /// The same connection, for writes that come as far as `promise` says.
    ///
    /// # Errors
    /// [`Error::Unusable`] when these servers cannot do that.
    pub(crate) fn promising(&self, promise: Promise) -> Result<Self, Error> {
        if promise.durability == Durability::Fsynced && self.fsync.get() == Fsync::Never {
            return Err(Error::Unusable(
                "durability `fsynced` needs `appendfsync always`, or WAITAOF (redis 7.2, valkey) with `appendonly yes`, on every primary"
                    .to_owned(),
            ));
        }
        let promise = (promise.durability != Durability::Async).then_some(promise);
        Ok(Self {
            promise,
            ..self.clone()
        })
    }

    /// The settings were looked at.
    pub(crate) fn set_fsync(&self, fsync: Fsync) {
        self.fsync.0.store(fsync as u8, Ordering::Relaxed);
    }

    pub(in crate::client) fn needs_waiting(&self, promise: Promise) -> bool {
        promise.durability != Durability::Fsynced || self.fsync.get() != Fsync::Always
    }

    /// Connected at the first call that needs it.
    pub(in crate::client) async fn confirmer(&self) -> Result<&Confirmer, Error> {
        let connect = async || {
            let sort = |error| Error::from_redis("wait", error, ToOwned::to_owned);
            let config = self.builder.get_config().cloned().unwrap_or_default();
            let client = builder(config, COMMAND_TIMEOUT + WAIT_MAX)
                .build()
                .map_err(sort)?;
            client.init().await.map_err(sort)?;
            Ok(Confirmer {
                client,
                topology: self.topology,
                ways: Arc::clone(&self.ways),
                rounds: Mutex::default(),
            })
        };
        self.confirmer.get_or_try_init(connect).await
    }
}
