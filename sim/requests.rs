//! What the API server was asked.

/// A request that the API server got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// HTTP method.
    pub method: String,
    /// Path with its query, as it came.
    pub path: String,
    /// HTTP status; `None` if there was no answer, or none yet.
    pub status: Option<u16>,
    /// The header `User-Agent`.
    pub user_agent: String,
}
