//! Icons: strokes on a grid of 16, in the colour of the text beside them.

use leptos::prelude::*;
use leptos::tachys::html::InertElement;

use super::Markup;

macro_rules! icons {
    ($($(#[$meta:meta])* $name:ident = $path:literal),+ $(,)?) => {
        /// An icon's drawing.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Glyph { $($(#[$meta])* $name),+ }

        impl Glyph {
            pub(super) const fn path(self) -> &'static str {
                match self { $(Self::$name => $path),+ }
            }
        }
    };
}

icons! {
    /// Four tiles.
    Dashboard = "M2.5 2.5h4.5v4.5h-4.5zM9 2.5h4.5v4.5h-4.5zM2.5 9h4.5v4.5h-4.5zM9 9h4.5v4.5h-4.5z",
    /// A sheet with a seal.
    Certificate = "M9 13.5h-6.5v-11h11v5.5M5 5.5h6M5 8h3.5M11.5 13a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM10.5 12.7v2.8l1-.7 1 .7v-2.8",
    /// Two arrows in a circle.
    Automation = "M13.5 8a5.5 5.5 0 0 1-9.8 3.4M2.5 8a5.5 5.5 0 0 1 9.8-3.4M12.5 2v2.8h-2.8M3.5 14v-2.8h2.8",
    /// Two people.
    Account = "M6 7.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM1.5 13.5c.3-2.5 2-4 4.5-4s4.2 1.5 4.5 4M10.5 2.8a2.5 2.5 0 0 1 0 4.4M12 9.8c1.5.6 2.3 1.9 2.5 3.7",
    /// Sliders.
    Settings = "M2 4.5h7M12.5 4.5h1.5M2 11.5h1.5M7 11.5h7M10.7 6.2a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4zM5.2 13.2a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4z",
    /// A magnifying glass.
    Search = "M7 12a5 5 0 1 0 0-10 5 5 0 0 0 0 10zM10.7 10.7l3.3 3.3",
    /// Three lines.
    Menu = "M2 4h12M2 8h12M2 12h12",
    /// A cross.
    Close = "M4 4l8 8M12 4l-8 8",
    /// A tick.
    Check = "M3 8.5l3.5 3.5 6.5-8",
    /// A tick in a circle.
    Good = "M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM5.3 8.2l2 2 3.4-4",
    /// An exclamation mark in a triangle.
    Warning = "M8 2.5l6 10.5h-12zM8 6.5v3M8 11.3v.1",
    /// An exclamation mark in a circle.
    Bad = "M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM8 5v3.5M8 10.8v.1",
    /// An i in a circle.
    Info = "M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM8 7.5v3.5M8 5.2v.1",
    /// A clock.
    Clock = "M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM8 4.8v3.4l2.2 1.5",
    /// A line in a circle.
    Neutral = "M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM5.5 8h5",
    /// A corner that points right.
    Right = "M6 3.5l4.5 4.5-4.5 4.5",
    /// A corner that points left.
    Left = "M10 3.5l-4.5 4.5 4.5 4.5",
    /// A corner that points down.
    Down = "M3.5 6l4.5 4.5 4.5-4.5",
    /// An arrow up.
    Up = "M8 13v-10M4 7l4-4 4 4",
    /// An arrow down.
    Descend = "M8 3v10M4 9l4 4 4-4",
    /// A plus.
    Add = "M8 3v10M3 8h10",
    /// Two sheets.
    Copy = "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z",
    /// An arrow into a tray.
    Download = "M8 2.5v7.5M4.8 7l3.2 3.2 3.2-3.2M2.5 11.5v2h11v-2",
    /// Three points.
    More = "M3 8h.1M8 8h.1M13 8h.1",
    /// A person.
    Person = "M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2.5 14c.4-2.8 2.5-4.5 5.5-4.5s5.1 1.7 5.5 4.5",
    /// A sun.
    Light = "M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6zM8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M3.4 12.6l.7-.7M11.9 4.1l.7-.7",
    /// A moon.
    Dark = "M13.5 9.5a5.7 5.7 0 0 1-7-7 5.7 5.7 0 1 0 7 7z",
    /// A half disc: light or dark, as the system says.
    Auto = "M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM8 2v12M8 4.5l4.2-.3M8 7h5.8M8 9.5h5.8M8 12l4-.2",
    /// A closed lock.
    Lock = "M3.5 7.5h9v6h-9zM5.5 7.5v-2a2.5 2.5 0 0 1 5 0v2",
    /// An empty tray.
    Empty = "M2 9.5l2-6h8l2 6v4h-12zM2 9.5h3.5l1 1.5h3l1-1.5h3.5",
}

/// An icon. It says nothing by itself: a word stands beside it, or is the label of what holds it.
#[component]
pub fn Icon(
    /// The drawing.
    glyph: Glyph,
) -> impl IntoView {
    let mut html = Markup::with_capacity(300);
    html.icon(glyph);
    InertElement::new(html.into_html())
}

impl Markup {
    /// What [`Icon()`] shows.
    pub fn icon(&mut self, glyph: Glyph) -> &mut Self {
        self.tags(r#"<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d=""#)
            .tags(glyph.path())
            .tags("\"></path></svg>")
    }
}
