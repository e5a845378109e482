package org.authservice.session;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import ua_parser.Parser;

/**
 * Readable names of devices, told from their user agents: "Firefox on Linux". The rules are a
 * library's; they take a third of a second to load, which is done when a name is first asked for.
 * Names are kept, since matching the rules takes milliseconds.
 */
final class DeviceNames {
  private static final String UNKNOWN = "Unknown device";
  private static final String OTHER = "Other";
  private static final int MOST_REMEMBERED = 1_000;
  private static final int LONGEST_PART = 60;

  /** How programs name themselves: RFC 9110, section 10.1.5. */
  private static final Pattern PRODUCT = Pattern.compile("([A-Za-z0-9._-]{1,40})(?:[/ (].*)?");

  private final Cache<String, String> names =
      Caffeine.newBuilder().maximumSize(MOST_REMEMBERED).build();
  private @Nullable Parser rules;

  /** The name of the device that sends this User-Agent header. */
  String of(String userAgent) {
    return userAgent.isBlank() ? UNKNOWN : names.get(userAgent, this::name);
  }

  private String name(String userAgent) {
    var told = rules().parse(userAgent);
    String program = cut(told.userAgent.family);
    if (program.equals(OTHER)) {
      Matcher product = PRODUCT.matcher(userAgent);
      program = product.matches() ? product.group(1) : UNKNOWN;
    }
    // Of an Android telephone the model says less to its owner than the system does.
    boolean apple = told.os.family.equals("iOS") && !told.device.family.equals(OTHER);
    String system = cut(apple ? told.device.family : told.os.family);
    return system.equals(OTHER) ? program : program + " on " + system;
  }

  private synchronized Parser rules() {
    if (rules == null) {
      rules = new Parser();
    }
    return rules;
  }

  /** Parts of a name may be the client's own text. */
  private static String cut(String text) {
    return text.length() > LONGEST_PART ? text.substring(0, LONGEST_PART) : text;
  }
}
