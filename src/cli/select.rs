//! Flags that choose checks, and those that say what a finding means.

use clap::Args;
use snapready_checks::model::check::{Check, Group};
use snapready_checks::products::{ALL, AUTO, concerns};
use snapready_checks::text::nearest::nearest;

use crate::run::failure::Failure;
use crate::verdict::{FailOn, UnknownPolicy};

/// Which checks.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct SelectArgs {
    /// Only these checks: ids, names, groups, or patterns with * (repeat, or separate with commas)
    #[arg(long, value_name = "CHECK", value_delimiter = ',', help_heading = "Checks")]
    select: Vec<String>,
    /// Without these checks
    #[arg(long, value_name = "CHECK", value_delimiter = ',', help_heading = "Checks")]
    skip: Vec<String>,
    /// Ask about a backup product: velero, kasten, ...; auto for those that are installed (repeat, or separate with commas)
    #[arg(long = "for", value_name = "PRODUCT", value_delimiter = ',', help_heading = "Checks")]
    products: Vec<String>,
}

impl SelectArgs {
    /// The checks, in the order of the catalogue.
    pub(super) fn checks(&self) -> Result<Vec<&'static Check>, Failure> {
        let mut chosen = snapready_checks::select(&self.select, &self.skip).map_err(Failure::wrong_call)?;
        let products = self.products()?;
        if products.is_empty() {
            return Ok(chosen);
        }
        if self.select.is_empty() {
            let of_products = snapready_checks::select(&[Group::Products.word().to_owned()], &self.skip);
            chosen.extend(of_products.into_iter().flatten().filter(|check| concerns(check, &products)));
            chosen.sort_by_key(|check| check.id);
            chosen.dedup_by_key(|check| check.id);
        } else if !chosen.iter().any(|check| check.group == Group::Products) {
            return Err(Failure::wrong_call(
                "--for asks the checks of group products, and --select chooses not one of them: add products to it"
                    .to_owned(),
            ));
        } else {
            // A group or a pattern means those that have something to say; a name means that check.
            let is_named = |check: &Check| {
                self.select.iter().any(|word| word.eq_ignore_ascii_case(check.id) || word == check.slug)
            };
            chosen.retain(|check| check.group != Group::Products || concerns(check, &products) || is_named(check));
        }
        Ok(chosen)
    }

    /// The products that are asked about.
    pub(super) fn products(&self) -> Result<Vec<String>, Failure> {
        known_products(&self.products)
    }
}

/// The words of `--for`, if there are such products.
pub(super) fn known_products(products: &[String]) -> Result<Vec<String>, Failure> {
    let words: Vec<&str> = ALL.iter().map(|product| product.word).chain([AUTO]).collect();
    match products.iter().find(|word| !words.contains(&word.as_str())) {
        None => Ok(products.to_vec()),
        Some(unknown) => {
            let near = nearest(unknown, words.iter().copied());
            let shown = if near.is_empty() { words } else { near };
            Err(Failure::wrong_call(format!("no backup product is called {unknown:?}; known: {}", shown.join(", "))))
        }
    }
}

/// What a finding means for the exit code.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct VerdictArgs {
    /// Which findings make the cluster not ready (exit code 1)
    #[arg(long, value_enum, default_value_t, help_heading = "Verdict")]
    pub(super) fail_on: FailOn,
    /// What a result that could not be determined counts as
    #[arg(long, value_enum, default_value_t, help_heading = "Verdict")]
    pub(super) unknown: UnknownPolicy,
}
