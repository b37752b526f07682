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
    let mut questions: Vec<AccountQuestion> = Vec::new();
    // Several pods and jobs may share an account.
    for question in of_the_control_plane(facts).into_iter().chain(products::questions(facts)) {
        if !questions.contains(&question) {
            questions.push(question);
        }
    }
    questions.truncate(MOST);
    questions
}
