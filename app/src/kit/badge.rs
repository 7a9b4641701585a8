//! Status as icon, word and colour, so that none of them is needed alone.

use leptos::prelude::*;

use super::{Glyph, Markup};

/// How good or bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// Done, valid, on.
    Good,
    /// Soon to be looked at.
    Warning,
    /// Failed, revoked, expired.
    Bad,
    /// Under way, or told for information.
    Info,
    /// Waits.
    Waiting,
    /// Neither good nor bad.
    #[default]
    Neutral,
}

impl Tone {
    /// The style's class.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Bad => "bad",
            Self::Info => "info",
            Self::Waiting => "waiting",
            Self::Neutral => "neutral",
        }
    }

    /// The icon.
    pub const fn glyph(self) -> Glyph {
        match self {
            Self::Good => Glyph::Good,
            Self::Warning => Glyph::Warning,
            Self::Bad => Glyph::Bad,
            Self::Info => Glyph::Info,
            Self::Waiting => Glyph::Clock,
            Self::Neutral => Glyph::Neutral,
        }
    }
}

/// A status. Its icon comes with the style: in a list it would be a fifth of each row.
#[component]
pub fn Badge(
    /// How good or bad it is.
    tone: Tone,
    /// The word.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    view! { <span class=format!("badge {}", tone.class())>{text}</span> }
}

impl Markup {
    /// The same as [`Badge()`].
    pub fn badge(&mut self, tone: Tone, text: &str) -> &mut Self {
        self.tags("<span class=\"badge ").tags(tone.class()).tags("\">").text(text);
        self.tags("</span>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_draws_the_icon_of_each_tone() {
        let style = include_str!("../../../style/kit/_status.scss");
        let tones =
            [Tone::Good, Tone::Warning, Tone::Bad, Tone::Info, Tone::Waiting, Tone::Neutral];
        for tone in tones {
            let drawn = format!("  {}: \"{}\",", tone.class(), tone.glyph().path());
            assert!(style.contains(&drawn), "{drawn}");
        }
    }
}
