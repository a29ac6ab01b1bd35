//! Makes scripts known to servers before anybody calls them, and forgets the libraries of other versions.

use fred::interfaces::{FunctionInterface, LuaInterface};
use fred::types::Value;

use super::{has_no_functions, takes_no_writes};
use crate::client::Redis;
use crate::client::setup::{Topology, sorted};
use crate::error::Error;
use crate::script::{self, INSPECTION, LIBRARY, LIBRARY_PREFIX};
use crate::transport;

/// Libraries of other versions that may stand beside this one's; beyond that all but its own are deleted. One that is still called is
/// loaded again by who calls it.
const LIBRARIES_KEPT: usize = 4;

impl Redis {
    /// Makes all scripts known to every primary, so that no first call has to.
    ///
    /// # Errors
    /// As sorted by [`Error`].
    pub(crate) async fn make_known(&self) -> Result<(), Error> {
        if self.ways.by_function() {
            match self.load_library().await {
                Ok(()) => return Ok(()),
                Err(error) if has_no_functions(error.details()) => {
                    self.ways.refuse_functions(error.details());
                }
                Err(error) if takes_no_writes(error.details()) => {
                    tracing::debug!(%error, "the library is not loaded; scripts are called by their texts until it can be");
                }
                Err(error) => {
                    let locate = |text: &str| LIBRARY.locate(text);
                    return Err(Error::from_redis("function load", error, locate));
                }
            }
        }
        for script in script::all() {
            let loaded = match &self.transport {
                Some(transport) => transport::load(transport.as_ref(), script).await,
                None if self.topology == Topology::Cluster => {
                    self.client.script_load_cluster(script.text()).await
                }
                None => self.client.script_load(script.text()).await,
            };
            loaded.map_err(|error| sorted(script, error))?;
        }
        Ok(())
    }

    async fn load_library(&self) -> Result<(), fred::error::Error> {
        if let Some(transport) = &self.transport {
            return transport::load_library(transport.as_ref()).await.map(drop);
        }
        self.load(LIBRARY.text()).await?;
        // Nothing that runs needs it.
        if let Err(error) = self.load(INSPECTION.text()).await {
            tracing::debug!(%error, "what people ask with redis-cli is not loaded");
        }
        // An ACL may allow to load and not to list: the library is there all the same.
        if let Err(error) = self.forget_old_libraries().await {
            tracing::debug!(%error, "libraries of other versions were not looked at");
        }
        Ok(())
    }

    /// Gives every primary a library.
    async fn load(&self, text: &str) -> Result<(), fred::error::Error> {
        if self.topology == Topology::Cluster {
            return self.client.function_load_cluster(true, text).await;
        }
        let loaded: Result<Value, _> = self.client.function_load(true, text).await;
        loaded.map(drop)
    }

    /// Deletes the libraries of other versions when there are many of them.
    async fn forget_old_libraries(&self) -> Result<(), fred::error::Error> {
        let pattern = format!("{LIBRARY_PREFIX}*");
        let listed: Value = self.client.function_list(Some(pattern), false).await?;
        let others = libraries(&listed);
        let others: Vec<&String> = others
            .iter()
            .filter(|name| *name != LIBRARY.name() && *name != INSPECTION.name())
            .collect();
        if others.len() < LIBRARIES_KEPT {
            return Ok(());
        }
        for name in others {
            let name = name.as_str();
            let gone: Result<(), _> = if self.topology == Topology::Cluster {
                self.client.function_delete_cluster(name).await
            } else {
                self.client.function_delete(name).await
            };
            // Somebody else may have deleted it.
            gone.ok();
        }
        Ok(())
    }
}

/// The names in an answer of `FUNCTION LIST`: a list of libraries, each a list of names and values in turn.
fn libraries(listed: &Value) -> Vec<String> {
    let Value::Array(items) = listed else {
        return Vec::new();
    };
    let name = |item: &Value| {
        let fields = item.clone().into_array();
        let mut pairs = fields.chunks_exact(2);
        pairs.find_map(|pair| match pair {
            [field, value] if field.as_str().as_deref() == Some("library_name") => {
                value.as_string()
            }
            _ => None,
        })
    };
    items.iter().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_among_libraries() {
        let library = |name: &str| {
            Value::Array(vec![
                "library_name".into(),
                name.into(),
                "engine".into(),
                "LUA".into(),
            ])
        };
        let listed = Value::Array(vec![library("tickwheel_1"), library("tickwheel_2")]);
        assert_eq!(libraries(&listed), ["tickwheel_1", "tickwheel_2"]);
        assert!(libraries(&Value::Null).is_empty());
    }
}
