import java.io.StringReader;
import java.sql.Connection;
import java.sql.SQLException;
import org.postgresql.PGConnection;

/** Fills the tables as years would: by COPY, from ten thousand accounts to ten million. */
final class Accounts {
  private static final int AT_ONCE = 10_000;

  private Accounts() {}

  /**
   * That many accounts with one password, a session each, and an event each of yesterday: of older
   * ones the service's own clean-up would leave none to measure.
   */
  static void fill(Postgres postgres, String database, int count) throws Exception {
    String hash = Hashing.stored();
    try (Connection connection = postgres.connect(database)) {
      var copy = connection.unwrap(PGConnection.class).getCopyAPI();
      for (int first = 1; first <= count; first += AT_ONCE) {
        StringBuilder rows = new StringBuilder();
        for (int i = first; i < Math.min(first + AT_ONCE, count + 1); i++) {
          rows.append("bench").append(i).append("@example.com,\"").append(hash).append("\",t,t,2025-01-01\n");
        }
        copy.copyIn(
            "COPY users (email, hashed_password, is_active, is_verified, created_at) FROM STDIN CSV",
            new StringReader(rows.toString()));
      }
    }
    postgres.sql(
        database,
        """
        INSERT INTO sessions SELECT md5('s' || id), id, 1, 0, 0, 0, 0, 4102444800000, 4102444800000,
          1700000000000 + id, 1700000000000, NULL, NULL, '127.0.0.1', 'bench' FROM users
          WHERE email LIKE 'bench%'
        """);
    postgres.sql(
        database,
        """
        INSERT INTO security_events SELECT md5('e' || id),
          (extract(epoch FROM now()) * 1000)::bigint - 100000000 + id, 'login', 'ok', id, NULL,
          '127.0.0.1', 'bench', 'bench' FROM users WHERE email LIKE 'bench%'
        """);
    postgres.sql(database, "VACUUM ANALYZE");
  }

  /** The id of the first of them; the others follow it without gaps. */
  static long first(Postgres postgres, String database) throws SQLException {
    return Long.parseLong(
        postgres.sql(database, "SELECT min(id) FROM users WHERE email LIKE 'bench%'"));
  }

  static long count(Postgres postgres, String database) throws SQLException {
    return Long.parseLong(
        postgres.sql(database, "SELECT count(*) FROM users WHERE email LIKE 'bench%'"));
  }

  static double megabytes(Postgres postgres, String database, String table) throws Exception {
    return Double.parseDouble(
        postgres.sql(database, "SELECT pg_total_relation_size('" + table + "') / 1048576.0"));
  }

  static double indexMegabytes(Postgres postgres, String database, String table) throws Exception {
    return Double.parseDouble(
        postgres.sql(database, "SELECT pg_indexes_size('" + table + "') / 1048576.0"));
  }
}
