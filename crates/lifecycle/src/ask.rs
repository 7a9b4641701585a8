//! What is asked for, in one form for all four doors, and what becomes of it.

use ca::CsrFacts;
use domain::model::{KeyType, RequestKind, SignatureHash};
use domain::rules::{DuplicateNames, HeldBecause, ReissueRequest};
use domain::{
    Days, EndpointId, Name, NameSet, OrderNumber, OrganizationId, ProductId, ProfileId, RequestId,
    Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::{Issued, LifecycleError, Result};

/// The longest note or comment, in characters.
pub const MAX_NOTE: usize = 2_000;

/// A certificate that is asked for.
#[derive(Debug, Clone)]
pub struct Ask {
    /// What.
    pub what: What,
    /// For which key; its names count only where `what` says so.
    pub csr: CsrFacts,
    /// The requester's words.
    pub note: Option<String>,
    /// The same key again gives the same outcome, never a second certificate. Keys of different
    /// doors begin differently: `portal/…`, `acme/…`, `event/…`.
    pub idempotency_key: Option<String>,
    /// The endpoint that it is for.
    pub endpoint: Option<EndpointId>,
    /// The number of the order that a renewal makes, where the operator chooses it (as
    /// [`NewOrder::number`]).
    pub renewal_number: Option<OrderNumber>,
    /// Names whose control was shown by challenges just now, so that no domain of the organization
    /// need be validated for them.
    pub challenged: NameSet,
    /// The names that the certificate may get, where nobody looked at them before; none where
    /// somebody did. Whoever approves a held request looks at them.
    pub at_most: Option<NameSet>,
}

/// What is asked for. Kept with a request that waits for approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// A new order.
    New(Box<NewOrder>),
    /// A duplicate of an order's certificate.
    Duplicate {
        /// Which order.
        order: OrderNumber,
        /// Which names.
        names: DuplicateNames,
    },
    /// A new order that renews another.
    Renew {
        /// Which order.
        order: OrderNumber,
        /// The certificate's names, where an ACME client asked for some that a wildcard order
        /// covers; the new order keeps those of the old one.
        names: Option<Exact>,
    },
    /// The next certificate of the same order.
    Reissue {
        /// Which order.
        order: OrderNumber,
        /// Which names.
        names: ReissueRequest,
    },
}

/// A common name and all names, the common name among them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exact {
    /// The common name.
    pub common_name: Name,
    /// All names.
    pub names: NameSet,
}

/// A new order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewOrder {
    /// For whom.
    pub organization: OrganizationId,
    /// What.
    pub product: ProductId,
    /// The names.
    pub names: Exact,
    /// Years of a multi-year plan; none for one certificate's lifetime.
    pub coverage_years: Option<u8>,
    /// Validity; none for the product's longest.
    pub validity_days: Option<Days>,
    /// The last second that its first certificate may be valid in, whenever that is issued.
    pub ends_by: Option<Timestamp>,
    /// Signature hash.
    pub signature_hash: SignatureHash,
    /// Whether the order renews itself.
    pub auto_renew: bool,
    /// The automation profile that it is made from.
    pub profile: Option<ProfileId>,
    /// A number of the operator's choice: the demonstration and moved-in history have theirs.
    pub number: Option<OrderNumber>,
}

impl NewOrder {
    /// An order of one certificate, as long as its product allows.
    pub const fn of(organization: OrganizationId, product: ProductId, names: Exact) -> Self {
        Self {
            organization,
            product,
            names,
            coverage_years: None,
            validity_days: None,
            ends_by: None,
            signature_hash: SignatureHash::Sha256,
            auto_renew: false,
            profile: None,
            number: None,
        }
    }
}

impl What {
    /// The kind of request that it is.
    pub const fn kind(&self) -> RequestKind {
        match self {
            Self::New(_) => RequestKind::New,
            Self::Duplicate { .. } => RequestKind::Duplicate,
            Self::Renew { .. } => RequestKind::Renew,
            Self::Reissue { .. } => RequestKind::Reissue,
        }
    }

    /// The last second that was asked for.
    pub const fn ends_by(&self) -> Option<Timestamp> {
        match self {
            Self::New(new) => new.ends_by,
            Self::Duplicate { .. } | Self::Renew { .. } | Self::Reissue { .. } => None,
        }
    }

    /// The existing order that it is about.
    pub const fn order(&self) -> Option<OrderNumber> {
        match self {
            Self::New(_) => None,
            Self::Duplicate { order, .. }
            | Self::Renew { order, .. }
            | Self::Reissue { order, .. } => Some(*order),
        }
    }
}

impl Ask {
    /// An ask without note, key and endpoint.
    pub fn new(what: What, csr: CsrFacts) -> Self {
        Self {
            what,
            csr,
            note: None,
            idempotency_key: None,
            endpoint: None,
            renewal_number: None,
            challenged: NameSet::default(),
            at_most: None,
        }
    }

    /// The key's type as the order keeps it: P-384 where no type is sold for such a key (P-521,
    /// Ed25519, RSA of another size). People are shown [`key_of_csr`].
    pub(crate) fn key_type(&self) -> KeyType {
        self.csr.key.key_type().unwrap_or(KeyType::EcP384)
    }
}

/// What became of an ask.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It was issued.
    Issued(Issued),
    /// It waits for a reviewer.
    Held {
        /// The request.
        request: RequestId,
        /// The order that it made or is about.
        order: OrderNumber,
        /// Why it waits.
        because: HeldBecause,
    },
    /// Rule D18: somebody else's renewal of the same order has to be issued or refused first; ask
    /// again then. It may wait for a reviewer.
    Wait {
        /// The order to wait for.
        order: OrderNumber,
    },
}

impl Outcome {
    /// The order that it is about.
    pub const fn order(&self) -> OrderNumber {
        match self {
            Self::Issued(issued) => issued.order,
            Self::Held { order, .. } | Self::Wait { order } => *order,
        }
    }

    /// The certificate, where it was issued.
    pub const fn issued(&self) -> Option<&Issued> {
        match self {
            Self::Issued(issued) => Some(issued),
            Self::Held { .. } | Self::Wait { .. } => None,
        }
    }
}

/// Reads a CSR that a person pasted or a program sent; faults name the field `csr`.
pub fn read_csr(input: &[u8]) -> Result<CsrFacts> {
    let csr =
        ca::csr::read(input).map_err(|fault| LifecycleError::field("csr", fault.to_string()))?;
    if csr.names.addresses().next().is_some() {
        let message = "The CSR asks for IP addresses, which are certified through ACME only. Make it again with domain names only, or ask an ACME Directory URL.";
        return Err(LifecycleError::field("csr", message));
    }
    Ok(csr)
}

/// What the key of a stored CSR is, as people read it: "ECC P-521". None where it can't be read.
pub fn key_of_csr(pem: &str) -> Option<String> {
    ca::csr::read(pem.as_bytes()).ok().map(|csr| csr.key.to_string())
}

/// A token for a form: sent twice, the form does its work once.
pub fn form_token() -> String {
    let mut bytes = [0_u8; 16];
    // Without random bytes the form has no token, and a double submit is not noticed.
    crate::random::fill(&mut bytes).map(|()| hex::encode(bytes)).unwrap_or_default()
}

/// The names that a program lists in a field of its own; none where it leaves that out.
pub(crate) fn listed(field: &'static str, text: &str) -> Result<NameSet> {
    NameSet::parse_list(text).map_err(|error| LifecycleError::field(field, error.to_string()))
}

/// Trims a note; none where nothing is left.
pub(crate) fn note(text: &str) -> Result<Option<String>> {
    let text = text.trim();
    if text.chars().count() > MAX_NOTE {
        let message = format!("This is too long: at most {MAX_NOTE} characters.");
        return Err(LifecycleError::field("note", message));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}
