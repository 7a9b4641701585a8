//! Icons: strokes on a grid of 16, in the colour of the text beside them.

use leptos::prelude::*;

macro_rules! icons {
    ($($(#[$meta:meta])* $name:ident = $path:literal),+ $(,)?) => {
        /// An icon's drawing.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Glyph { $($(#[$meta])* $name),+ }

        impl Glyph {
            const fn path(self) -> &'static str {
                match self { $(Self::$name => $path),+ }
            }
        }
    };
}

icons! {
    /// Four tiles.
    Dashboard = "M2.5 2.5h4.5v4.5h-4.5zM9 2.5h4.5v4.5h-4.5zM2.5 9h4.5v4.5h-4.5zM9 9h4.5v4.5h-4.5z",
    /// A sheet with a seal.
    Certificate = "M9 13.5h-6.500v-11h11v5.500M5 5.500h6M5 8h3.500M11.500 13a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM10.500 12.700v2.800l1-.7 1 .7v-2.800",
    /// Two arrows in a circle.
    Automation = "M13.500 8a5.500 5.500 0 0 1-9.800 3.400M2.500 8a5.500 5.500 0 0 1 9.800-3.400M12.500 2v2.800h-2.800M3.500 14v-2.800h2.800",
    /// Two people.
    Account = "M6 7.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM1.500 13.500c.3-2.500 2-4 4.500-4s4.200 1.500 4.500 4M10.500 2.800a2.500 2.500 0 0 1 0 4.400M12 9.800c1.500.6 2.300 1.900 2.500 3.700",
    /// Sliders.
    Settings = "M2 4.500h7M12.500 4.500h1.500M2 11.500h1.500M7 11.500h7M10.700 6.200a1.700 1.700 0 1 0 0-3.400 1.700 1.700 0 0 0 0 3.400zM5.200 13.200a1.700 1.700 0 1 0 0-3.400 1.700 1.700 0 0 0 0 3.400z",
    /// A magnifying glass.
    Search = "M7 12a5 5 0 1 0 0-10 5 5 0 0 0 0 10zM10.700 10.700l3.300 3.300",
    /// Three lines.
    Menu = "M2 4h12M2 8h12M2 12h12",
    /// A cross.
    Close = "M4 4l8 8M12 4l-8 8",
    /// A tick.
    Check = "M3 8.500l3.500 3.500 6.500-8",
    /// A tick in a circle.
    Good = "M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM5.300 8.200l2 2 3.400-4",
    /// An exclamation mark in a triangle.
    Warning = "M8 2.500l6 10.500h-12zM8 6.500v3M8 11.300v.1",
    /// An exclamation mark in a circle.
    Bad = "M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM8 5v3.500M8 10.800v.1",
    /// An i in a circle.
    Info = "M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM8 7.500v3.500M8 5.200v.1",
    /// A clock.
    Clock = "M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM8 4.800v3.400l2.200 1.500",
    /// A line in a circle.
    Neutral = "M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM5.500 8h5",
    /// A corner that points right.
    Right = "M6 3.500l4.500 4.500-4.500 4.500",
    /// A corner that points left.
    Left = "M10 3.500l-4.500 4.500 4.500 4.500",
    /// A corner that points down.
    Down = "M3.500 6l4.500 4.500 4.500-4.500",
    /// An arrow up.
    Up = "M8 13v-10M4 7l4-4 4 4",
    /// An arrow down.
    Descend = "M8 3v10M4 9l4 4 4-4",
    /// A plus.
    Add = "M8 3v10M3 8h10",
    /// Two sheets.
    Copy = "M5.500 5.500v-3h8v8h-3M2.500 5.500h8v8h-8z",
    /// An arrow into a tray.
    Download = "M8 2.500v7.500M4.800 7l3.200 3.200 3.200-3.200M2.500 11.500v2h11v-2",
    /// Three points.
    More = "M3 8h.1M8 8h.1M13 8h.1",
    /// A person.
    Person = "M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2.500 14c.4-2.800 2.500-4.500 5.500-4.500s5.100 1.700 5.500 4.500",
    /// A sun.
    Light = "M8 10.800a2.800 2.800 0 1 0 0-5.600 2.800 2.800 0 0 0 0 5.600zM8 1.500v1M8 13.500v1M1.500 8h1M13.500 8h1M3.400 3.400l.7.7M11.900 11.900l.7.7M3.400 12.600l.7-.7M11.900 4.100l.7-.7",
    /// A moon.
    Dark = "M13.500 9.500a5.700 5.700 0 0 1-7-7 5.700 5.700 0 1 0 7 7z",
    /// A half disc: light or dark, as the system says.
    Auto = "M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM8 2v12M8 4.500l4.200-.3M8 7h5.800M8 9.500h5.800M8 12l4-.2",
    /// A closed lock.
    Lock = "M3.500 7.500h9v6h-9zM5.500 7.500v-2a2.500 2.500 0 0 1 5 0v2",
    /// An empty tray.
    Empty = "M2 9.500l2-6h8l2 6v4h-12zM2 9.500h3.500l1 1.500h3l1-1.500h3.500",
}

/// An icon. It says nothing by itself: a word stands beside it, or is the label of what holds it.
#[component]
pub fn Icon(
    /// The drawing.
    glyph: Glyph,
) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
            <path d=glyph.path()></path>
        </svg>
    }
}
