package org.authservice.operations;

import java.time.Instant;
import org.authservice.database.Statement;

/** All SQL on {@code leases}. */
final class LeaseStore {
  /** Takes or prolongs a lease; no row while another holds it. */
  Statement<Integer> hold(String name, String holder, Instant now, Instant until) {
    return Statement.count(
        """
        INSERT INTO leases AS l (name, holder, lease_until) VALUES (?, ?, ?)
        ON CONFLICT (name) DO UPDATE SET holder = excluded.holder,
          lease_until = excluded.lease_until
        WHERE l.holder = excluded.holder OR l.lease_until <= ?
        """,
        p -> p.text(name).text(holder).millis(until).millis(now));
  }
}
