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

#[cfg(feature = "hooks")]
impl Request {
    /// Whether it is to change what is stored: neither looks, nor dry runs, nor reviews do.
    #[must_use]
    pub fn changes(&self) -> bool {
        let is_a_question = self.path.contains("dryRun=") || self.path.contains("/authorization.k8s.io/");
        self.method != "GET" && !is_a_question
    }
}
