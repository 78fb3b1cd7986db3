using System.Globalization;
using System.Text;

namespace NativeConv;

/// <summary>What a model looks like.</summary>
public sealed unsafe partial class Model
{
    /// <summary>A table of the layers: name, kind, output shape, parameters, multiply-adds an image, and receptive field in input pixels; then the totals.</summary>
    public string Summary()
    {
        string[][] rows = [["layer", "kind", "output", "parameters", "multiply-adds", "sees", "reads"], .. Nodes.Select(SummaryRow)];
        int[] widths = [.. Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length))];
        var text = new StringBuilder();
        foreach (string[] row in rows)
        {
            // Numbers to the right, words to the left.
            for (int column = 0; column < row.Length; column++)
                text.Append(column is 3 or 4 ? row[column].PadLeft(widths[column]) : row[column].PadRight(widths[column])).Append("  ");

            text.Length -= text.Length - text.ToString().TrimEnd().Length;
            text.AppendLine();
        }

        long all = Parameters.Sum(parameter => (long)parameter.Value.Length);
        long multiplyAdds = Nodes.Sum(node => node.Layer.MultiplyAdds(node.InputShapes()));
        text.Append(CultureInfo.InvariantCulture, $"{TrainableParameterCount:N0} trainable parameters of {all:N0}; {multiplyAdds:N0} multiply-adds an image");
        if (FrozenLayers.Count > 0)
            text.AppendLine().Append(CultureInfo.InvariantCulture, $"frozen: {string.Join(", ", FrozenLayers)}");

        return text.ToString();
    }

    private string[] SummaryRow(Node node)
    {
        ImageShape[] inputs = node.InputShapes();
        long parameters = node.Layer.Parameters(inputs).Sum(parameter => (long)parameter.Shape.Length);
        Size2D field = ReceptiveField(node).Extent;
        return
        [
            node.Name, node.Layer.Kind, node.Shape.ToString(), parameters.ToString("N0", CultureInfo.InvariantCulture),
            node.Layer.MultiplyAdds(inputs).ToString("N0", CultureInfo.InvariantCulture),
            new Size2D(Math.Min(field.Height, InputShape.Height), Math.Min(field.Width, InputShape.Width)).ToString(),
            string.Join(", ", node.Inputs.Select(input => input.Name)),
        ];
    }

    /// <summary>How much of the input one value of a node sees, and how far apart two neighbours' fields are: the largest over all paths.</summary>
    private static ReceptiveWindow ReceptiveField(Node node)
    {
        var field = ReceptiveWindow.Point;
        foreach (Node input in node.Inputs)
        {
            ReceptiveWindow before = ReceptiveField(input), window = node.Layer.Window(node.InputShapes());
            field = new(
                new(
                    Math.Max(field.Extent.Height, before.Extent.Height + ((window.Extent.Height - 1) * before.Stride.Height)),
                    Math.Max(field.Extent.Width, before.Extent.Width + ((window.Extent.Width - 1) * before.Stride.Width))),
                new(
                    Math.Max(field.Stride.Height, before.Stride.Height * window.Stride.Height),
                    Math.Max(field.Stride.Width, before.Stride.Width * window.Stride.Width)));
        }

        return field;
    }
}
