package org.authservice.database;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Accounts whose addresses differ only in case. The Python service allowed them and they stay: an
 * exact match wins. The operator should know of them.
 */
final class AddressPairs {
  private static final Logger log = LoggerFactory.getLogger(AddressPairs.class);
  private static final int SHOWN = 10;

  private AddressPairs() {}

  static void warn(Connection connection) throws SQLException {
    List<String> shown = new ArrayList<>();
    int count = 0;
    try (PreparedStatement statement =
            connection.prepareStatement(
                "SELECT lower(email) FROM users GROUP BY lower(email) HAVING count(*) > 1"
                    + " ORDER BY lower(email)");
        ResultSet results = statement.executeQuery()) {
      while (results.next()) {
        if (++count <= SHOWN) {
          shown.add(results.getString(1));
        }
      }
    }
    if (count > 0) {
      log.warn(
          "{} addresses have several accounts that differ only in case: {}{}",
          count,
          String.join(", ", shown),
          count > SHOWN ? ", …" : "");
    }
  }
}
