"""Let the start predict how frequent the new language's tokens are, in closed form and without training.

Final hidden states h have a mean h̄, so a row w predicts its token with a logit of about w·h̄. Setting the component of
every row along h̄,

    w  <-  w + (log p - w·h̄ + c) h̄ / |h̄|²        p: share of the token in the target text

makes the softmax at h̄ exactly the unigram distribution. c changes no prediction; it is chosen so that the rows of frequent
tokens move least, since a tied head is the embedding too. The average prediction over real contexts still differs a
little: a few more rounds, with the average in place of the softmax at h̄, remove the rest. A head's bias, where there is one,
takes the whole correction instead.
"""
