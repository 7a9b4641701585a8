//! What every part of a page needs to know of the person who looks at it.

use domain::Timestamp;
use domain::model::Role;
use leptos::prelude::use_context;

use crate::kit::Zone;

/// Colours of the screens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// As the operating system says.
    #[default]
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// Every theme, in the order of the switch.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Light, Self::Dark];

    /// The cookie's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// Reads the cookie's value; anything unknown is [`Theme::Auto`].
    pub fn read(text: &str) -> Self {
        Self::ALL.into_iter().find(|theme| theme.as_str() == text).unwrap_or_default()
    }
}

/// The person who looks at the page, and where they are.
#[derive(Debug, Clone)]
pub struct Viewer {
    /// The signed-in person; none on the sign-in pages.
    pub person: Option<Who>,
    /// The time zone in which times are shown.
    pub zone: Zone,
    /// The moment of this request.
    pub now: Timestamp,
    /// Path and query of the page.
    pub url: String,
    /// The chosen colours.
    pub theme: Theme,
}

/// A signed-in person as the frame shows them.
#[derive(Debug, Clone)]
pub struct Who {
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// What they may do.
    pub role: Role,
}

impl Viewer {
    /// The viewer of the page being made.
    pub fn current() -> Self {
        use_context().unwrap_or_else(|| Self {
            person: None,
            zone: Zone::UTC,
            now: Timestamp(0),
            url: "/".to_owned(),
            theme: Theme::Auto,
        })
    }

    /// The page's path without its query.
    pub fn path(&self) -> &str {
        self.url.split('?').next().unwrap_or_default()
    }

    /// The page's query.
    pub fn query(&self) -> &str {
        self.url.split_once('?').map_or("", |(_, query)| query)
    }
}
