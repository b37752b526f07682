//! CSI drivers: which ones a cluster knows, and what is known about them.

pub mod capabilities;
pub mod object;
pub mod registered;
pub mod switches;
pub mod table;
