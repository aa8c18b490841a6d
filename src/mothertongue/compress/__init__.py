"""A smaller model that keeps what the bigger one knows: fewer layers, by module replacing (BERT-of-Theseus) on a decoder."""
