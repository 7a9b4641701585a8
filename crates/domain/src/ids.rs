//! Typed identifiers: an order number can't be passed where a request's id is meant.

macro_rules! id {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { self.0.fmt(f) }
        }

        impl std::str::FromStr for $name {
            type Err = std::num::ParseIntError;
            fn from_str(text: &str) -> Result<Self, Self::Err> { text.parse().map(Self) }
        }
    )+};
}

id! {
    /// An order's number as people see it: 12345, 555123456.
    OrderNumber,
    /// A certificate of an order.
    CertificateId,
    /// A request for a certificate or a revocation.
    RequestId,
    /// An organization.
    OrganizationId,
    /// A domain of an organization.
    DomainId,
    /// A person.
    UserId,
    /// An automation profile.
    ProfileId,
    /// An agent on a host.
    AgentId,
    /// An IP:port under *Automation > Automated IPs*.
    EndpointId,
    /// An automation event: one piece of work on one endpoint.
    EventId,
    /// An ACME Directory URL with its external account binding credential.
    AcmeUrlId,
    /// An ACME account.
    AcmeAccountId,
    /// An ACME order (RFC 8555 section 7.1.3), not to be confused with [`OrderNumber`].
    AcmeOrderId,
    /// An API key.
    ApiKeyId,
    /// A planned issuance: a reserved serial with what will be signed under it.
    IssuanceId,
}
