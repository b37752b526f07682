//! What to ask the API server's authorizers about `ServiceAccounts`: exactly what RBAC, as it was read, does not grant. A webhook or
//! a cloud's own authorizer may grant it.

use crate::knowledge::rights::questions::of_the_control_plane;
use crate::model::facts::{AccountQuestion, Facts};
use crate::products;

/// So many are asked at most: an account without any right has about as many that it lacks.
const MOST: usize = 60;

/// The questions, the worst first for each account; none where RBAC grants everything, or was not read.
#[must_use]
pub fn questions(facts: &Facts) -> Vec<AccountQuestion> {
    let mut all = of_the_control_plane(facts);
    all.extend(products::questions(facts));
    all.truncate(MOST);
    all
}
