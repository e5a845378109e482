package org.authservice.mail;

/** HTML made from a mail's plain text; what stands in double braces is left for later. */
final class Markup {
  private static final String CODE = "{{code}}";

  private Markup() {}

  /** Paragraphs, and the code in a block of its own, from left to right in every language. */
  static String paragraphs(String text) {
    var html = new StringBuilder(512);
    for (String block : text.strip().split("\n[ \t]*\n")) {
      if (block.strip().equals(CODE)) {
        html.append("<div class=\"code\" dir=\"ltr\">").append(CODE).append("</div>\n");
      } else {
        html.append("<p>").append(sentence(block.strip())).append("</p>\n");
      }
    }
    return html.toString();
  }

  /**
   * Escaped, with values that stand in whatever script kept apart from the text around them: a
   * Latin name in an Arabic sentence must not turn its full stop.
   */
  static String sentence(String text) {
    return escaped(text)
        .replace("{{brand}}", "<bdi>{{brand}}</bdi>")
        .replace("{{support}}", "<bdi>{{support}}</bdi>");
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }

  /** Which way a text runs: as its first letter does. */
  static String direction(String text) {
    return text.codePoints()
        .map(Character::getDirectionality)
        .filter(direction ->
            direction == Character.DIRECTIONALITY_LEFT_TO_RIGHT
                || direction == Character.DIRECTIONALITY_RIGHT_TO_LEFT
                || direction == Character.DIRECTIONALITY_RIGHT_TO_LEFT_ARABIC)
        .mapToObj(direction -> direction == Character.DIRECTIONALITY_LEFT_TO_RIGHT ? "ltr" : "rtl")
        .findFirst()
        .orElse("ltr");
  }
}
