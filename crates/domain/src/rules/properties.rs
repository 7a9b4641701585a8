//! Properties that hold for all orders, names and moments.
