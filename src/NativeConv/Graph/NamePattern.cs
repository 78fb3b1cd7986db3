namespace NativeConv.Graph;

/// <summary>Names that users give with wildcards: * stands for any characters, ? for one.</summary>
internal static class NamePattern
{
    /// <summary>Whether the whole name is what the pattern says; case counts.</summary>
    public static bool Matches(string pattern, string name)
    {
        // Where the rest does not fit, the last * takes one character more.
        int p = 0, n = 0, star = -1, taken = 0;
        while (n < name.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                star = p++;
                taken = n;
            }
            else if (p < pattern.Length && (pattern[p] == '?' || pattern[p] == name[n]))
            {
                p++;
                n++;
            }
            else if (star >= 0)
            {
                p = star + 1;
                n = ++taken;
            }
            else
            {
                return false;
            }
        }

        return pattern.AsSpan(p).TrimStart('*').IsEmpty;
    }
}
