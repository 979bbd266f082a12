"""The server: sessions in worker processes, streamed to pages over websockets."""
