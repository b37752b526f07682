//! Tests of the catalogue as a whole.
