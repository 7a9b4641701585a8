//! Every setting: key, label, kind, default, and the check of what is entered.

/// What a setting's value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One of these codes, each with its label on screens.
    Choice(&'static [(&'static str, &'static str)]),
    /// `on` or `off`.
    Switch,
    /// A whole number of days, both bounds included.
    Days {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// Up to ten different numbers of days, separated by commas, the greatest first; may be empty.
    DayList {
        /// The greatest day.
        max: i64,
    },
    /// A line of text.
    Line {
        /// At most so many characters.
        max: usize,
    },
    /// Up to 20 e-mail addresses, separated by commas; may be empty.
    Emails,
}

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The key of the command line, forms and the audit log. Never renamed.
    pub key: &'static str,
    /// The label on screens.
    pub label: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// Its value before anybody changed it.
    pub default: &'static str,
}

/// Every setting there is.
pub const SETTINGS: &[Setting] = &[
    Setting {
        key: "approval_step",
        label: "Approval Steps",
        kind: Kind::Choice(&[
            ("one_step", "One step: certificate requests must be approved"),
            (
                "skip",
                "Skip approval step: remove the approval step from your certificate order processes",
            ),
        ]),
        default: "one_step",
    },
    Setting {
        key: "auto_approve_approvers",
        label: "Automatically approve certificate requests when the requester is also an approver",
        kind: Kind::Switch,
        default: "off",
    },
    Setting {
        key: "duplicates_in_automation",
        label: "Enable duplicate certificates in Automation",
        kind: Kind::Switch,
        default: "off",
    },
    Setting {
        key: "certificate_renewal_window_days",
        label: "ACME renewal window of certificates, days before expiry",
        kind: Kind::Days { min: 1, max: 180 },
        default: "32",
    },
    Setting {
        key: "order_renewal_window_days",
        label: "ACME renewal window of multi-year orders, days before their end",
        kind: Kind::Days { min: 1, max: 365 },
        default: "90",
    },
    Setting {
        key: "notice_days_before",
        label: "Notices before expiry, days",
        kind: Kind::DayList { max: 365 },
        default: "90,60,30,7,3",
    },
    Setting {
        key: "notice_days_after",
        label: "Notices after expiry, days",
        kind: Kind::DayList { max: 90 },
        default: "7",
    },
    Setting {
        key: "notice_emails",
        label: "Further recipients of notices",
        kind: Kind::Emails,
        default: "",
    },
    Setting {
        key: "organization_validation_days",
        label: "Validation of an organization holds, days",
        kind: Kind::Days { min: 1, max: 825 },
        default: "398",
    },
    Setting {
        key: "domain_validation_days",
        label: "Validation of a domain holds, days",
        kind: Kind::Days { min: 1, max: 398 },
        default: "398",
    },
    Setting {
        key: "brand_word",
        label: "Word behind \"Switch to\"",
        kind: Kind::Line { max: 40 },
        default: "DigiCert",
    },
];

/// The setting with this key.
pub fn setting(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

impl Setting {
    /// The canonical spelling of `entered`, or what to enter instead.
    pub fn check(&self, entered: &str) -> Result<String, String> {
        if entered.len() > 4_096 {
            return Err(format!("{}: this is too long.", self.label));
        }
        let text = entered.trim();
        match self.kind {
            Kind::Choice(choices) => {
                one_of(self.label, text, choices.iter().map(|(code, _)| *code))
            }
            Kind::Switch => one_of(self.label, text, ["on", "off"].into_iter()),
            Kind::Days { min, max } => match text.parse::<i64>() {
                Ok(days) if (min..=max).contains(&days) => Ok(days.to_string()),
                _ => Err(format!("{}: enter a whole number from {min} to {max}.", self.label)),
            },
            Kind::DayList { max } => day_list(text, max).ok_or_else(|| {
                format!(
                    "{}: enter up to ten different numbers from 1 to {max}, as 90,60,30.",
                    self.label
                )
            }),
            Kind::Line { max } => {
                if text.is_empty() || !domain::is_line(text, max) {
                    return Err(format!("{}: enter 1 to {max} characters.", self.label));
                }
                Ok(text.to_owned())
            }
            Kind::Emails => emails(text)
                .map_err(|wrong| format!("{}: {wrong:?} is not an e-mail address.", self.label)),
        }
    }
}

fn one_of(
    label: &str,
    text: &str,
    mut codes: impl Iterator<Item = &'static str> + Clone,
) -> Result<String, String> {
    let all: Vec<&str> = codes.clone().collect();
    match codes.find(|code| *code == text) {
        Some(code) => Ok(code.to_owned()),
        None => Err(format!("{label}: choose {}.", all.join(" or "))),
    }
}

fn day_list(text: &str, max: i64) -> Option<String> {
    let pieces = text.split([',', ' ', ';']).filter(|piece| !piece.is_empty());
    let mut days = pieces.map(str::parse).collect::<Result<Vec<i64>, _>>().ok()?;
    days.sort_unstable_by(|a, b| b.cmp(a));
    let count = days.len();
    days.dedup();
    let good = count <= 10 && days.len() == count && days.iter().all(|day| (1..=max).contains(day));
    let texts: Vec<String> = days.iter().map(ToString::to_string).collect();
    good.then(|| texts.join(","))
}

fn emails(text: &str) -> Result<String, String> {
    let pieces: Vec<&str> = text
        .split([',', ';', ' ', '\n'])
        .map(str::trim)
        .filter(|piece| !piece.is_empty())
        .collect();
    if let Some(surplus) = pieces.get(20) {
        return Err((*surplus).to_owned());
    }
    match pieces.iter().find(|piece| !domain::is_email(piece)) {
        Some(wrong) => Err((*wrong).to_owned()),
        None => Ok(pieces.join(",")),
    }
}
