//! The rules, each a function that answers with a plan or a [`crate::Refusal`].
