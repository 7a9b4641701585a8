//! Which keys the certificates of a product hold.

use crate::{Refusal, Validation};

/// Refuses Ed25519 keys (`edwards`), which only private products hold: public certificates hold RSA and
/// ECDSA keys (CA/Browser Forum Baseline Requirements, section 6.1.5).
pub fn check_product_key(validation: Validation, edwards: bool) -> Result<(), Refusal> {
    if !edwards || validation == Validation::Private {
        return Ok(());
    }
    Err(Refusal::new(
        "product",
        "key_only_private",
        "Public certificates hold no Ed25519 keys (Baseline Requirements 6.1.5). Make a new key and CSR \
         with ECDSA (P-256 or P-384) or RSA.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ed25519_keys_are_for_private_products() {
        for public in [Validation::Dv, Validation::Ov, Validation::Ev] {
            assert!(check_product_key(public, true).is_err());
            assert!(check_product_key(public, false).is_ok());
        }
        assert!(check_product_key(Validation::Private, true).is_ok());
    }
}
