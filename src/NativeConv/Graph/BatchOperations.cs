using NativeConv.Kernels;
using NativeConv.Simd;

namespace NativeConv.Graph;

/// <summary>What a plan does to gradients, at its vector width.</summary>
internal abstract unsafe class BatchOperations
{
    /// <summary>y += x.</summary>
    public abstract void AddTo(float* x, float* y, nint length);

    /// <summary>
    /// sums += the sum of <paramref name="parts"/> ranges that lie <paramref name="stride"/> floats apart, added in a binary tree: neighbours first, then
    /// neighbouring pairs. Overwrites the parts.
    /// </summary>
    public void AddTree(float* first, int parts, nint stride, float* sums, nint length)
    {
        for (int step = 1; step < parts; step *= 2)
        {
            for (int part = 0; part + step < parts; part += 2 * step)
                AddTo(first + ((part + step) * stride), first + (part * stride), length);
        }

        AddTo(first, sums, length);
    }
}

/// <inheritdoc cref="BatchOperations"/>
internal sealed unsafe class BatchOperations<TVector> : BatchOperations
    where TVector : struct, IVector<TVector>
{
    public override void AddTo(float* x, float* y, nint length) => ElementwiseKernel.AddTo<TVector>(x, y, length);
}
