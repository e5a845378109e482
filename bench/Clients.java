import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.HexFormat;
import java.security.MessageDigest;
import java.util.concurrent.atomic.AtomicLong;
import org.authservice.secret.Keyring;
import org.authservice.secret.Secret;
import org.authservice.secret.Secrets;
import org.authservice.token.RefreshTokens;

/** What the connections of a load ask for. */
final class Clients {
  private static final AtomicLong UNIQUE = new AtomicLong(System.nanoTime());

  private Clients() {}

  /**
   * Goes around several sessions and always holds their newest tokens.
   *
   * @param rotates whether each answer must be a new one: else another row would be measured
   */
  record Refreshing(Deque<String> tokens, boolean rotates) implements Load.Client {
    Refreshing(boolean rotates) {
      this(new ArrayDeque<>(), rotates);
    }

    @Override
    public byte[] next() {
      return post("/auth/refresh", "{\"refresh_token\":\"" + tokens.getFirst() + "\"}");
    }

    @Override
    public void answered(String head, String body) {
      String sent = tokens.removeFirst();
      String got = member(body, "refresh_token", "");
      if (rotates && got.equals(sent)) {
        throw new IllegalStateException("a refresh that should rotate was answered out of the grace");
      }
      tokens.addLast(got.isEmpty() ? sent : got); // a failure is counted where its status is read
    }
  }

  /** Sessions that COPY made, evenly over the whole table, shared out among the clients. */
  static List<Load.Client> refreshing(Postgres postgres, String database, int clients, int sessions)
      throws Exception {
    byte[] salt = HexFormat.of().parseHex(postgres.sql(database, "SELECT salt FROM installation"));
    var keyring = new Keyring(Secret.of(Service.SECRET_KEY), List.of(), salt, Secrets.secure());
    var tokens = new RefreshTokens(keyring);
    long first = Accounts.first(postgres, database);
    long step = Accounts.count(postgres, database) / sessions;
    List<Load.Client> all = new ArrayList<>();
    for (int i = 0; i < clients; i++) {
      var client = new Refreshing(true);
      for (long k = i; k < sessions; k += clients) {
        long user = first + k * step;
        client.tokens.add(
            tokens.issue(
                new RefreshTokens.Claims(
                    user, md5("s" + user), 1, Instant.ofEpochMilli(0), Instant.ofEpochMilli(4102444800000L))));
      }
      all.add(client);
    }
    return all;
  }

  /** A session each of the first accounts, for whoever does not rotate them. */
  static List<Load.Client> signedIn(Service service, int clients) throws Exception {
    List<Load.Client> all = new ArrayList<>();
    for (int i = 1; i <= clients; i++) {
      var client = new Refreshing(false);
      client.tokens.add(member(service.post("/auth/login", credentials(i)), "refresh_token", ""));
      all.add(client);
    }
    return all;
  }

  /** Always the same access token. */
  static List<Load.Client> checking(Service service, int clients) throws Exception {
    List<Load.Client> all = new ArrayList<>();
    for (int i = 1; i <= clients; i++) {
      String access = member(service.post("/auth/login", credentials(i)), "access_token", "");
      byte[] request =
          ("GET /auth/check HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer " + access + "\r\n\r\n")
              .getBytes(StandardCharsets.ISO_8859_1);
      all.add(() -> request);
    }
    return all;
  }

  /** Logins of those accounts, one after the other. */
  static List<Load.Client> loggingIn(int clients, int accounts) {
    long stride = Math.max(1, accounts / 10_007); // spread over the table
    return same(
        clients,
        () -> post("/auth/login", credentials(1 + UNIQUE.incrementAndGet() * stride % accounts)));
  }

  /** A code for an address each: nobody's, which costs the same, and so reaches no budget. */
  static List<Load.Client> askingForCodes(int clients) {
    return same(
        clients,
        () ->
            post(
                "/auth/generate-otp",
                "{\"email\":\"new" + UNIQUE.incrementAndGet() + "@example.com\",\"purpose\":\"login\"}"));
  }

  private static List<Load.Client> same(int count, Load.Client client) {
    return new ArrayList<>(Collections.nCopies(count, client));
  }

  private static String credentials(long account) {
    return "{\"email\":\"bench" + account + "@example.com\",\"password\":\"" + Hashing.PASSWORD + "\"}";
  }

  private static String member(String json, String name, String otherwise) {
    String before = "\"" + name + "\":\"";
    int at = json.indexOf(before);
    return at < 0 ? otherwise : json.substring(at + before.length(), json.indexOf('"', at + before.length()));
  }

  private static byte[] post(String path, String body) {
    return ("POST " + path + " HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: "
            + body.length() + "\r\n\r\n" + body)
        .getBytes(StandardCharsets.ISO_8859_1);
  }

  private static String md5(String text) throws Exception {
    return HexFormat.of()
        .formatHex(MessageDigest.getInstance("MD5").digest(text.getBytes(StandardCharsets.US_ASCII)));
  }
}
