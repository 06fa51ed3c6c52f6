//! The JSON Schema accepts what the reader accepts, and rejects what its documentation claims.

use crate::cases::{BASE, cases};
use crate::examples::EXAMPLES;
use crate::models::EXPLICIT;
use crate::search_cases::{EB, MSE, NEUEVO};
use jsonschema::Validator;
use serde_json::Value;

fn validator() -> Validator {
    let schema: Value = serde_json::from_str(snnc_frontend::schema()).unwrap();
    jsonschema::meta::validate(&schema).unwrap_or_else(|e| panic!("the schema is no schema: {e}"));
    jsonschema::draft202012::new(&schema).unwrap()
}

fn parse(genome: &str) -> Value {
    serde_json::from_str(genome).unwrap()
}

#[test]
fn accepts_every_correct_genome() {
    let validator = validator();
    let check = |name: &str, genome: &str| {
        let errors: Vec<String> = validator
            .iter_errors(&parse(genome))
            .map(|e| format!("{}: {e}", e.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    };
    check("base", BASE);
    for base in [MSE, NEUEVO, EB, EXPLICIT] {
        check("search", base);
    }
    for path in crate::braincog::genomes() {
        check(&path.display().to_string(), &std::fs::read_to_string(&path).unwrap());
        let (resolved, _) = snnc_frontend::resolved(&path).unwrap();
        check(&format!("resolved {}", path.display()), &resolved);
    }
    for example in crate::examples::documented() {
        check("docs/genome-format.md", &example);
    }
    for path in EXAMPLES {
        check(path, &crate::examples::text(path));
    }
}

#[test]
fn accepts_private_fields_anywhere() {
    // After every `{` that opens an object whose keys the format defines.
    let genome = BASE
        .replace(r#"{"id""#, r#"{"x_remark": 1, "id""#)
        .replace(r#"{"model""#, r#"{"x_remark": [], "model""#)
        .replace(r#"{"scheme""#, r#"{"x_remark": {}, "scheme""#)
        .replace(r#"{"tensor""#, r#"{"x_remark": {}, "tensor""#)
        .replace(r#"{"kind""#, r#"{"x_remark": null, "kind""#)
        .replace(r#"{"shape""#, r#"{"x_remark": null, "shape""#)
        .replace(r#"{"steps""#, r#"{"x_remark": null, "steps""#)
        .replace(r#"{"coding""#, r#"{"x_remark": null, "coding""#)
        .replace(r#"{"inline""#, r#"{"x_remark": null, "inline""#)
        .replace(r#"{"abs_tol""#, r#"{"x_remark": null, "abs_tol""#);
    assert!(validator().is_valid(&parse(&genome)));
    let loaded = snnc_frontend::read_genome_bytes(genome.as_bytes(), "".as_ref(), "g.json");
    assert!(loaded.is_ok_and(|l| l.warnings.is_empty()));
}

#[test]
fn rejects_exactly_what_it_claims_to_see() {
    let validator = validator();
    for case in cases() {
        let accepted = validator.is_valid(&parse(&case.genome()));
        assert_eq!(!accepted, case.schema, "{}: whether the schema rejects it", case.name);
    }
}
