"""What any worker daemon needs: membership, persistence, services, streams, HTTP."""
