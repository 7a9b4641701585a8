//! Fields that an answer has only sometimes.

use serde_json::Value;

/// Sets a field of an object.
pub(super) fn put(object: &mut Value, field: &str, value: Value) {
    if let Value::Object(fields) = object {
        fields.insert(field.to_owned(), value);
    }
}
