-- What a certificate log keeps with its entries and outside of its tree. Leaves without it, which is all of Rekor's, have
-- no row here.

-- By which submission a leaf came: two leaves with one submission would be one entry twice, though their values differ.
create table submission (
  submission_hash blob not null check (length(submission_hash) = 32), -- SHA-256 of the submitted certificate
  leaf_id         integer not null references leaf (leaf_id),
  tree_key        integer not null check (tree_key = leaf_id / 1099511627776),
  primary key (submission_hash, tree_key)
) strict, without rowid;

-- Bytes of one leaf that its value does not hold: a precertificate as it was submitted.
create table extra_data (
  leaf_id integer primary key references leaf (leaf_id),
  value   blob not null
) strict;
