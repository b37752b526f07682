//! Calls to the simulated CSI driver, as a sidecar makes them: with a time limit, and with gRPC errors.

use std::sync::Arc;

use serde_json::Value;

use crate::clock;
use crate::object::Object;
use crate::scenario::Driver;
use crate::world::World;

/// A gRPC error, as Go prints it.
#[derive(Debug, Clone)]
pub(super) struct CallError {
    code: String,
    description: String,
}

impl CallError {
    /// Whether the driver is surely not at it any more.
    pub(super) fn is_final(&self) -> bool {
        !matches!(self.code.as_str(), "Canceled" | "DeadlineExceeded" | "Unavailable" | "ResourceExhausted" | "Aborted")
    }
}

impl std::fmt::Display for CallError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "rpc error: code = {} desc = {}", self.code, self.description)
    }
}

/// The error that a class asks for, in the words of the real cluster's driver: the parameter of an operation is `error:CODE`,
/// and the parameter `message` the text, to the letter.
pub(super) fn asked_for(class: &Value, operation: &str) -> Option<CallError> {
    let parameter = |key: &str| class.map("/parameters")?.get(key)?.as_str();
    let code = parameter(operation)?.strip_prefix("error:")?;
    Some(CallError { code: code.to_owned(), description: parameter("message").unwrap_or_default().to_owned() })
}

/// Calls the driver, which may have been asked for an error: `work` is done by the storage and may block.
pub(super) async fn call<T: Send + 'static>(
    world: &Arc<World>,
    driver: Driver,
    error: Option<CallError>,
    work: impl FnOnce(&World) -> std::io::Result<T> + Send + 'static,
) -> Result<T, CallError> {
    tokio::time::sleep(clock::DRIVER_CALL).await;
    if let Some(error) = error {
        return Err(error);
    }
    match driver {
        Driver::Hangs => {
            tokio::time::sleep(clock::CALL_TIMEOUT).await;
            return Err(CallError {
                code: "DeadlineExceeded".to_owned(),
                description: "context deadline exceeded".to_owned(),
            });
        }
        Driver::Fails(code, description) => {
            return Err(CallError { code: code.to_owned(), description: description.to_owned() });
        }
        Driver::Slow(time) | Driver::SlowPerGib(time) => tokio::time::sleep(time).await,
        Driver::Works | Driver::NeverReady | Driver::Sized(_) | Driver::KeptOn(_) | Driver::Bad(_) => {}
    }
    let shared = Arc::clone(world);
    let done = tokio::task::spawn_blocking(move || work(&shared)).await;
    done.map_err(std::io::Error::other).flatten().map_err(|error| {
        let code = match error.kind() {
            std::io::ErrorKind::NotFound => "NotFound",
            std::io::ErrorKind::InvalidInput => "OutOfRange",
            std::io::ErrorKind::StorageFull => "ResourceExhausted",
            _ => "Internal",
        };
        CallError { code: code.to_owned(), description: error.to_string() }
    })
}
