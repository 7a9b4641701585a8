//! The parts that pages are made of. Each is plain HTML that works without scripts.

mod action;
mod badge;
mod chart;
mod choice;
mod field;
mod filter;
mod form;
mod icon;
mod lifespan;
mod listing;
mod markup;
mod name;
mod notice;
mod page;
mod progress;
mod table;
mod text;
mod time;

pub use action::*;
pub use badge::*;
pub use chart::*;
pub use choice::*;
pub use field::*;
pub use filter::*;
pub use form::*;
pub use icon::*;
pub use lifespan::*;
pub use listing::*;
pub use markup::*;
pub use name::*;
pub use notice::*;
pub use page::*;
pub use progress::*;
pub use table::*;
pub use text::*;
pub use time::*;
