//! Pages and forms as a browser without scripts sees them.
