//! What an operator may set about the ACME server.

use super::Quota;

/// Enough for any client to make a CSR and send it, in seconds.
const LEAST_TO_FINALIZE: i64 = 300;

/// Lifetimes and limits.
#[derive(Debug, Clone)]
pub struct AcmePolicy {
    /// Seconds that an order has until it must be finalized.
    pub order_seconds: i64,
    /// Seconds that a pending authorization has until its challenge must be answered.
    pub pending_authorization_seconds: i64,
    /// Seconds for which an authorization that was validated by challenge may be used again by
    /// the same account. Short: a stolen account key must not live on an old validation.
    pub reuse_seconds: i64,
    /// The most identifiers in an order.
    pub max_identifiers: usize,
    /// How often a validation is tried before the challenge fails.
    pub validation_attempts: i64,
    /// How often things may be done.
    pub limits: AcmeLimits,
}

/// How often things may be done.
#[derive(Debug, Clone, Copy)]
pub struct AcmeLimits {
    /// New accounts from one address.
    pub accounts_per_address: Quota,
    /// New accounts for one credential.
    pub accounts_per_credential: Quota,
    /// New orders of one account.
    pub orders_per_account: Quota,
    /// New orders under one credential.
    pub orders_per_credential: Quota,
    /// Failed validations of one account.
    pub failures_per_account: Quota,
}

impl AcmePolicy {
    /// Seconds that an authorization must still hold for an order to rest on it: the client needs
    /// some until it finalizes.
    pub(super) const fn least_to_finalize(&self) -> i64 {
        let half = self.reuse_seconds / 2;
        if half < LEAST_TO_FINALIZE { half } else { LEAST_TO_FINALIZE }
    }
}

impl Default for AcmePolicy {
    fn default() -> Self {
        Self {
            order_seconds: 7 * 86_400,
            pending_authorization_seconds: 7 * 86_400,
            reuse_seconds: 3_600,
            max_identifiers: 100,
            validation_attempts: 4,
            limits: AcmeLimits::default(),
        }
    }
}

impl Default for AcmeLimits {
    fn default() -> Self {
        Self {
            accounts_per_address: Quota::per(2_000, 3_600),
            accounts_per_credential: Quota::per(10_000, 3_600),
            orders_per_account: Quota::per(100_000, 3_600),
            orders_per_credential: Quota::per(400_000, 3_600),
            failures_per_account: Quota::per(200, 3_600),
        }
    }
}
