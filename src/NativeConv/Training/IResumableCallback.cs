namespace NativeConv;

/// <summary>
/// A callback that remembers something between epochs, which a checkpoint must keep for a resumed training to go on as if it had never stopped. Its settings are what
/// <see cref="object.ToString"/> says: a checkpoint compares them.
/// </summary>
public interface IResumableCallback : ITrainingCallback
{
    /// <summary>What its memory is called in the checkpoint: a word without a slash that no other callback of the training has.</summary>
    string Name { get; }

    /// <summary>Writes down what it remembers.</summary>
    void Save(CallbackState state);

    /// <summary>Takes up what was written down; comes after <see cref="ITrainingCallback.OnBegin"/>.</summary>
    /// <exception cref="InvalidDataException">It is not what <see cref="Save"/> writes.</exception>
    void Restore(TrainingContext training, CallbackState state);
}
