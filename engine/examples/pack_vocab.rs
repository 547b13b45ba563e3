//! Packs the vocabularies and the character classes that `src/tokens` builds in.
//!
//! Only needed when an encoding or Unicode changes. Give it the files that `tiktoken_ext/openai_public.py` names; a file
//! whose SHA-256 is not the one it expects is refused:
//!
//! ```text
//! cargo run -p tracegist-engine --release --features pack --example pack_vocab -- cl100k_base.tiktoken o200k_base.tiktoken
//! ```

use std::error::Error;
use std::io::Write;
use std::path::Path;

use base64::Engine;
use regex_syntax::hir::{Class, HirKind};
use sha2::{Digest, Sha256};

/// Files and their SHA-256, as `tiktoken_ext/openai_public.py` has them.
const SOURCES: [(&str, &str); 2] = [
    ("cl100k_base", "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"),
    ("o200k_base", "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"),
];

/// In the order of the numbers of `tokens::class::Class`; a character has the number of the first that holds for it.
const CLASSES: [&str; 7] = [r"\r\n", r"\s", r"\p{N}", r"\p{Lu}\p{Lt}", r"\p{Ll}", r"\p{Lm}\p{Lo}", r"\p{M}"];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vocab");
    for path in std::env::args_os().skip(1) {
        let path = Path::new(&path);
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        let text = std::fs::read(path)?;
        let packed = compress(&unranked(name, &text).map_err(|error| format!("{}: {error}", path.display()))?)?;
        write(&folder.join(name).with_extension("br"), &packed)?;
    }
    write(&folder.join("classes.bin"), &classes()?)
}

/// The number of tokens, the length of each, and their bytes, in the order of their ranks.
fn unranked(name: &str, text: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let (_, expected) = SOURCES.iter().find(|(known, _)| *known == name).ok_or("not an encoding that is packed")?;
    let found = hex(&Sha256::digest(text));
    if found != *expected {
        return Err(format!("its SHA-256 is {found}, not {expected}").into());
    }
    let mut lengths = Vec::new();
    let mut bytes = Vec::new();
    for (rank, line) in std::str::from_utf8(text)?.lines().enumerate() {
        let (token, number) = line.split_once(' ').ok_or("a line without a rank")?;
        if number.parse() != Ok(rank) {
            return Err(format!("rank {number} where {rank} should be").into());
        }
        let token = base64::engine::general_purpose::STANDARD.decode(token)?;
        lengths.push(u8::try_from(token.len())?);
        bytes.extend(token);
    }
    let number = u32::try_from(lengths.len())?;
    Ok([number.to_le_bytes().to_vec(), lengths, bytes].concat())
}

fn hex(digest: &[u8]) -> String {
    digest.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn compress(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut packed = Vec::new();
    let mut writer = brotli::CompressorWriter::new(&mut packed, 1 << 16, 11, 24);
    writer.write_all(bytes)?;
    drop(writer);
    Ok(packed)
}

/// Runs of characters of one class: a byte for the class, the length of the run in LEB128.
fn classes() -> Result<Vec<u8>, Box<dyn Error>> {
    let mut numbers = vec![0_u8; 0x11_0000];
    for (class, number) in CLASSES.iter().zip([2, 1, 3, 4, 5, 6, 7]).rev() {
        let HirKind::Class(Class::Unicode(class)) = regex_syntax::parse(&format!("[{class}]"))?.into_kind() else {
            return Err(format!("{class} is no class").into());
        };
        for range in class.ranges() {
            numbers[range.start() as usize..=range.end() as usize].fill(number);
        }
    }
    let mut packed = Vec::new();
    for run in numbers.chunk_by(|one, other| one == other) {
        packed.push(run[0]);
        let mut length = run.len();
        while length > 0x7f {
            packed.push(u8::try_from(length & 0x7f)? | 0x80);
            length >>= 7;
        }
        packed.push(u8::try_from(length)?);
    }
    Ok(packed)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
    std::fs::write(path, bytes)?;
    println!("{}: {} bytes", path.display(), bytes.len());
    Ok(())
}
